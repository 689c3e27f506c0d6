"""Every source of events is heard, and what is heard is read as it comes (clause 8.2.b)."""

from headshotly.incidents import expectations, overseeing
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

MOST_BEHIND = 1000


@check(
    id="event_sources_are_heard",
    clauses=("8.2.b",),
    title="Every source of events is heard",
    words="We look whether each source that must be heard was heard of lately, whether the detector gave a sign of "
    "life within two minutes, and how many entries of the journal it has not read yet.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Look at the sources, the detector and its lag."""
    if scene.service.emulated:
        return unknown("The service is not running now, and with it what reads the events.")
    silent = [name for name, _ in expectations.silent(now=scene.now)]
    if silent:
        return broken(f"Silent for too long: {shorten(silent)}.", ids=silent)
    worked = overseeing.last_worked()
    if worked is None or scene.now - worked > overseeing.IDLE:
        last = f"since {worked:%Y-%m-%d %H:%M} UTC" if worked else "ever"
        return broken(f"The detector gave no sign of life {last}.", ids=["detector"])
    behind = overseeing.behind()
    if behind > MOST_BEHIND:
        return broken(f"The detector is {behind} entries behind the journal.", ids=["detector:behind"])
    sources = expectations.expected()
    return held(
        f"{len(sources)} sources are heard: {shorten(sources)}; the detector is {behind} entries behind the journal.",
        population=len(sources),
    )
