"""An event planted among the others raises its alert in time (clause 8.2.a)."""

from headshotly.incidents import overseeing, planting
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

LIMIT_SECONDS = 10.0


@check(
    id="planted_event_alerts",
    clauses=("8.2.a",),
    title="A planted event raises its alert",
    words="We leave an event that must raise an alert where the running service leaves its own, and measure how long "
    "it takes until the alert is there.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Plant and wait."""
    if scene.service.emulated:
        return unknown("The service is not running now, and with it what reads the events.")
    seconds = planting.wait_for(planting.plant(), at_most=LIMIT_SECONDS)
    if seconds is None:
        worked = overseeing.last_worked()
        since = f"; it gave a sign of life last at {worked:%H:%M} UTC" if worked else ""
        sentence = (
            f"A planted event raised no alert within {LIMIT_SECONDS:.0f} seconds: the detector does not work{since}."
        )
        return broken(sentence, ids=["detector"])
    return held(f"A planted event raised its alert after {seconds:.1f} seconds.", population=1)
