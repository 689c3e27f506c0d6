"""The drill: executes the plan step by step in an empty place, measures it, and signs what it saw (clause 6.2.b).

The living system is only read: the place gets databases, stores, keys and a witness of its own.
"""

import base64
import datetime as dt
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from headshotly.access import members
from headshotly.audit import selectors as journal
from headshotly.continuity import catalogue, manifest, places, plan, scratch_place
from headshotly.continuity.catalogue import Found
from headshotly.continuity.errors import NoBackup, RestoreIncomplete
from headshotly.continuity.plan import Plan, Step
from headshotly.continuity.progress import Progress
from headshotly.continuity.scratch_place import Ran, ScratchPlace
from headshotly.continuity.stores import Store
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vault import durable
from headshotly.vault import wiring as vault

FORMAT = "headshotly-drill-1"
_SHORT, _ANSWER = 600.0, 90.0
_MIRRORED_WITHIN = dt.timedelta(minutes=5)  # the mirrors are brought up to date every minute
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class StepResult:
    """How a step went.

    Attributes:
        id: the step's.
        title: in a few words.
        who: does it in earnest.
        ran: whether it was begun; one after a failed step that it needs is not.
        passed: whether it did what the plan says.
        seconds: how long it took.
        sentence: what was seen.
    """

    id: str
    title: str
    who: str
    ran: bool = False
    passed: bool = False
    seconds: float = 0.0
    sentence: str = "It was not reached."


@dataclass(slots=True)
class Drill:
    """What a drill saw.

    Attributes:
        began_at: aware UTC.
        region: the only store that was used.
        backup: id of the restored backup.
        snapshot_at: the moment it took the place back to, ISO 8601.
        recovery_seconds: from looking for the backup until the service answered; None where it did not.
        loss_seconds: between that moment and the drill's beginning; None where there was no backup.
        entries_lost: journal entries of the living system that the place did not have.
        objects: how many objects came back.
        object_bytes: theirs.
        customer: pseudonym of the customer restored alone.
        steps: one after the other.
        sentences: why it failed beyond its steps.
    """

    began_at: dt.datetime
    region: str = ""
    backup: str = ""
    snapshot_at: str = ""
    recovery_seconds: float | None = None
    loss_seconds: float | None = None
    entries_lost: int | None = None
    objects: int = 0
    object_bytes: int = 0
    customer: str = ""
    steps: list[StepResult] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Say whether every step ran and passed inside the objectives; no steps are no drill."""
        return bool(self.steps) and not self.sentences and all(step.ran and step.passed for step in self.steps)


class _Execution:
    """What the steps hand to each other."""

    def __init__(self, chosen: Plan, drill: Drill, store: Store) -> None:
        self.plan, self.drill, self.store = chosen, drill, store
        self.decided = clock.monotonic()
        self.found: Found | None = None
        self.place: ScratchPlace | None = None
        self.report: dict[str, Any] = {}

    def in_place(self) -> ScratchPlace:
        if self.place is None:
            raise RestoreIncomplete("There is no place to do it in.")
        return self.place

    def backup(self) -> Found:
        if self.found is None:
            raise NoBackup("No backup was found.")
        return self.found

    def run(self, *arguments: str, seconds: float = _SHORT) -> Ran:
        ran = self.in_place().run(arguments, seconds=seconds)
        if ran.code:
            lines = [line for line in ran.said.strip().splitlines() if line.strip()]
            raise RestoreIncomplete(f"“headshotly {arguments[0]}” refused: {lines[-1] if lines else 'it said nothing'}")
        return ran


type Act = Callable[[_Execution], str]
ACTS: dict[str, Act] = {}


def _act(act: Act) -> Act:
    ACTS[act.__name__] = act
    return act


@_act
def owner_is_there(it: _Execution) -> str:
    """See that somebody holds the role that owns the plan."""
    there = [member.handle for member in members.everybody() if member.role == it.plan.owner]
    if not there:
        raise RestoreIncomplete(f"Nobody holds the role {it.plan.owner}, which owns the plan.")
    return f"{len(there)} active members hold the role {it.plan.owner}."


@_act
def find_backup(it: _Execution) -> str:
    """Find the newest backup in one region alone, and open its key."""
    it.decided = clock.monotonic()
    found = catalogue.look((it.store,), places.key_service())
    it.found = catalogue.require_newest(found)
    made = it.found.manifest
    it.drill.backup, it.drill.snapshot_at = made.backup, made.snapshot_at
    it.drill.loss_seconds = (it.drill.began_at - made.moment).total_seconds()
    if it.drill.loss_seconds < 0:
        raise RestoreIncomplete("The newest backup is dated in the future: a clock is or was wrong.")
    return f"Backup {made.backup} of {made.moment:%Y-%m-%d %H:%M:%S} UTC, from {it.store.region} alone."


@_act
def make_place(it: _Execution) -> str:
    """Make an empty place."""
    it.place = scratch_place.make()
    return "An empty place with databases, stores and keys of its own."


@_act
def restore_everything(it: _Execution) -> str:
    """Restore everything, with the program itself."""
    path = it.in_place().folder / "report.json"
    backup, region = it.backup().manifest.backup, it.store.region
    limit = it.plan.objectives.recovery.total_seconds()
    it.run("restore", "--from", region, "--backup", backup, "--report", str(path), seconds=limit)
    it.report = json.loads(path.read_text(encoding="utf-8"))
    it.drill.objects, it.drill.object_bytes = it.report["objects"], it.report["object_bytes"]
    if it.report["missing_before"]:
        raise RestoreIncomplete(f"{len(it.report['missing_before'])} objects were missing when the backup was made.")
    return f"{it.report['objects']} objects and {it.report['keys']} keys; every hash fits."


@_act
def closed_place_refuses(it: _Execution) -> str:
    """Mark the place as unfinished and see that it serves nobody; then take the mark away again."""
    mark = it.in_place().data_folder / "restoring.json"
    durable.write(mark, [b"{}"])
    try:
        ran = it.in_place().run(["serve", "web"], seconds=_ANSWER)
    finally:
        durable.remove(mark)
    if ran.code == 0 or "is being restored" not in ran.said:
        raise RestoreIncomplete("A place that was still being restored did not refuse to serve.")
    return "A place that is still being restored refuses to serve."


@_act
def verify_journal(it: _Execution) -> str:
    """Recompute the journal, and count what the living one has more."""
    it.run("journal", "verify")
    size = journal.latest_checkpoint()
    # The restore itself wrote entries; they are no part of what was backed up.
    it.drill.entries_lost = max(0, (size.size if size else 0) - int(it.report.get("entries", 0)))
    if it.report.get("entries", 0) < it.report.get("checkpoint", 0):
        raise RestoreIncomplete("The journal is shorter than the checkpoint in the manifest.")
    return f"{it.report['entries']} entries hold; {it.report['checkpoint']} are under the manifest's checkpoint."


@_act
def verify_keys(it: _Execution) -> str:
    """See that every key opens and nobody erased has one."""
    return it.run("keys", "status").said.strip().splitlines()[-1]


@_act
def erased_stay_erased(it: _Execution) -> str:
    """See that the place knows everybody the living system erased."""
    erased = len(vault.erasure_ledger().erased())
    known = int(it.report.get("erased", 0))
    # Somebody erased while the drill ran reaches the mirror a minute later.
    if known < erased:
        raise RestoreIncomplete(f"The place knows {known} erased customers, and {erased} were erased.")
    again = it.report.get("erased_again", 0)
    # What was destroyed a moment ago reaches the mirror with its next round.
    before = it.drill.began_at - _MIRRORED_WITHIN
    destroyed = sum(at < before for at in vault.destruction_ledger().destroyed().values())
    known_destroyed = int(it.report.get("destroyed", 0))
    if known_destroyed < destroyed:
        raise RestoreIncomplete(f"The place knows {known_destroyed} destroyed objects, and {destroyed} were destroyed.")
    return (
        f"{known} erased customers are known; the backup had brought back {again}, and they are gone again. "
        f"{len(it.report.get('withheld', []))} objects that were destroyed since did not come back."
    )


@_act
def serve_and_answer(it: _Execution) -> str:
    """Start the web server and ask it over TLS."""
    with it.in_place().serving(seconds=_ANSWER) as answered:
        if not answered:
            raise RestoreIncomplete("The restored service did not answer.")
    it.drill.recovery_seconds = clock.monotonic() - it.decided
    return f"It answered {it.drill.recovery_seconds:.1f} s after the decision."


@_act
def restore_one_customer(it: _Execution) -> str:
    """Lose the objects of a customer chosen at random, and bring them back alone."""
    ledger = vault.erasure_ledger()
    withheld = {UUID(one) for one in it.report.get("withheld", [])}
    copies = [
        copy
        for copy in it.backup().contents().objects
        if not ledger.holds(copy.subject) and copy.object_id not in withheld
    ]
    if not copies:
        return "The backup holds no customer with objects; there was nobody to restore."
    subject = secrets.choice(sorted({copy.subject for copy in copies}))
    mine = [copy for copy in copies if copy.subject == subject]
    it.drill.customer = str(subject)
    folder = it.in_place().data_folder / "objects"
    for path in folder.glob(f"*/{subject.hex}/*.sealed"):
        path.unlink()
    path = it.in_place().folder / "customer.json"
    it.run("restore", "--customer", str(subject), "--from", it.store.region, "--report", str(path))
    back = {UUID(one) for one in json.loads(path.read_text(encoding="utf-8"))["back"]}
    if back != {copy.object_id for copy in mine}:
        raise RestoreIncomplete(f"{len(back)} of {len(mine)} objects of a single customer came back.")
    return f"All {len(back)} objects of one customer, chosen at random, came back alone."


@_act
def remove_place(it: _Execution) -> str:
    """Remove the place, keys overwritten first."""
    place = it.in_place()
    for path in sorted(place.data_folder.glob("keys*/??/*.key")):
        durable.erase(path)
    place.remove()
    if place.folder.exists():
        raise RestoreIncomplete("The place of the exercise could not be removed.")
    return "The place is gone, its keys overwritten."


@enforces("6.2.b")
def hold(progress: Progress, *, count: int, chosen: Plan | None = None) -> tuple[Drill, str]:
    """Hold a drill.

    A crash leaves a folder ``headshotly-drill-…`` for temporary files, and databases ``drill_…``; the next drill
    removes what is older than a day.

    Args:
        progress: hears how far it is.
        count: how many drills were held before; the regions take turns.
        chosen: the plan; None for the one in force.

    Returns:
        What was seen, and the signed record; unsigned where the backups' key could not be had.

    Raises:
        PlacesRefused: there are not two stores in two regions of the Union.
    """
    document = chosen or plan.plan()
    stores = places.stores()
    store = stores[count % len(stores)]
    drill = Drill(began_at=clock.now(), region=store.region)
    it = _Execution(document, drill, store)
    try:
        _execute(it, progress)
    finally:
        if it.place is not None:
            it.place.remove()
    _measure(it)
    return drill, _signed(it)


def _execute(it: _Execution, progress: Progress) -> None:
    """Do every step; after one that failed only the last is done, so that nothing is left behind."""
    steps, failed = it.plan.steps, False
    for at, step in enumerate(steps, 1):
        result = StepResult(step.id, step.title, step.who)
        it.drill.steps.append(result)
        if not failed or step.act == remove_place.__name__:
            _do(step, result, it)
        failed = failed or not result.passed
        progress("Steps", at, len(steps))


def _do(step: Step, result: StepResult, it: _Execution) -> None:
    act = ACTS.get(step.act)
    if act is None:
        result.sentence = f"The plan names an act “{step.act}” that does not exist."
        return
    began, result.ran = clock.monotonic(), True
    try:
        result.sentence = act(it)
        result.passed = True
    except Refusal as refusal:
        result.sentence = refusal.sentence
    except Exception as error:
        # Whatever goes wrong in an exercise is its finding; what kind it was is enough to find it by.
        result.sentence = f"It failed ({type(error).__name__})."
        _logger.exception("drill-step.failed", extra={"step": step.id})
    result.seconds = clock.monotonic() - began


def _measure(it: _Execution) -> None:
    """Hold what was measured against the plan's objectives."""
    drill, promised = it.drill, it.plan.objectives
    if drill.recovery_seconds is None:
        drill.sentences.append("The time to recover could not be measured.")
    elif drill.recovery_seconds > promised.recovery.total_seconds():
        drill.sentences.append("Recovery took longer than the objective.")
    if drill.loss_seconds is None:
        drill.sentences.append("The loss of data could not be measured.")
    elif drill.loss_seconds > promised.data_loss.total_seconds():
        drill.sentences.append("More data would have been lost than the objective allows.")


def _signed(it: _Execution) -> str:
    drill = it.drill
    document: dict[str, Any] = {
        "format": FORMAT,
        **asdict(drill),
        "began_at": drill.began_at.isoformat(),
        "ended_at": clock.now().isoformat(),
        "passed": drill.passed,
        "plan": {
            "sha256": it.plan.sha256,
            "owner": it.plan.owner,
            "recovery_hours": it.plan.objectives.recovery.total_seconds() / 3600,
            "data_loss_hours": it.plan.objectives.data_loss.total_seconds() / 3600,
        },
        "environment": configuration.current().environment,
    }
    if it.found is None:
        return json.dumps({"signed": document, "signature": ""}, indent=1, sort_keys=True)
    public = it.found.key.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    document["public_key"] = base64.b64encode(public).decode()
    return manifest.sign(document, it.found.key.signing).decode()
