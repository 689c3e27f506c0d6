"""Entries are sequenced and signed within a minute of being written (clause 5.3.a)."""

import datetime as dt

from headshotly.audit import selectors
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

LONGEST = dt.timedelta(minutes=5)


@check(
    id="journal_keeps_up",
    clauses=("5.3.a",),
    title="The journal keeps up",
    words="We look how long the oldest entry has been waiting to be signed into the journal; while it waits, the "
    "journal does not protect it yet.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Look at the oldest entry that waits."""
    oldest, head = selectors.oldest_waiting(), selectors.latest_checkpoint()
    if scene.service.emulated:
        return unknown("The service is not running now, and with it what signs entries into the journal.")
    if oldest is not None and scene.now - oldest > LONGEST:
        minutes = int((scene.now - oldest).total_seconds() // 60)
        waiting = selectors.waiting()
        return broken(
            f"{waiting} entries wait to be sequenced, the oldest for {minutes} minutes; the sequencer does not run.",
            ids=["sequencer"],
            population=waiting,
        )
    if head is None:
        return unknown("Nothing is sequenced yet.")
    return held(f"{head.size} entries are sequenced, and none has waited longer than it may.", population=head.size)
