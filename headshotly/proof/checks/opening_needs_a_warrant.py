"""Without a genuine, current warrant for the very person nothing opens; with one, the journal says so first."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

from headshotly.access.warrants import service_warrant
from headshotly.audit import selectors as journal
from headshotly.proof import canary
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vault import services as vault
from headshotly.vault.errors import WarrantRefused
from headshotly.vault.warrant import Warrant


def _opens(object_id: UUID, warrant: Warrant) -> bool:
    try:
        vault.open(object_id=object_id, warrant=warrant)
    except WarrantRefused:
        return False
    return True


def _forgeries(genuine: Warrant) -> dict[str, Callable[[], Warrant]]:
    later = genuine.expires_at + dt.timedelta(hours=1)
    return {
        "no seal": lambda: replace(genuine, mac=b""),
        "a forged seal": lambda: replace(genuine, mac=bytes(32)),
        "a prolonged time": lambda: replace(genuine, expires_at=later),
        "another purpose": lambda: replace(genuine, purpose="support"),
        "another actor": lambda: replace(genuine, actor=replace(genuine.actor, id=uuid4())),
        "another person's warrant": lambda: service_warrant(subject=canary.STRANGER, purpose=canary.PURPOSE),
    }


@check(
    id="opening_needs_a_warrant",
    clauses=("5.1.a", "5.3.a", "2.4.c"),
    title="Nothing opens without a warrant",
    words="We try to open a planted picture with six forged or foreign permissions; each must be refused. Then we open "
    "it with a genuine one and look for the entry in the journal, which must be there.",
    assurance=Assurance.ENFORCED,
)
def look(_scene: Scene) -> Finding:
    """Try all of them on a canary."""
    planted = canary.plant()
    try:
        genuine = service_warrant(subject=canary.SUBJECT, purpose=canary.PURPOSE)
        forged = {name: make() for name, make in _forgeries(genuine).items()}
        opened = [name for name, warrant in forged.items() if _opens(planted.object_id, warrant)]
        readable = vault.open(object_id=planted.object_id, warrant=genuine) == planted.picture
        written = journal.is_written(genuine.id, object_id=planted.object_id)
    finally:
        canary.uproot(planted)
    population = len(forged) + 1
    if opened:
        return broken(f"A sealed picture opened with {shorten(opened)}.", ids=opened, population=population)
    if not readable:
        return broken("A genuine warrant did not open what was sealed.", ids=["genuine"], population=population)
    if not written:
        return broken(
            "A picture was opened and the journal has no entry of it.", ids=["journal"], population=population
        )
    return held(
        f"{len(forged)} forged or foreign warrants opened nothing; a genuine one did, and the journal says so.",
        population=population,
    )
