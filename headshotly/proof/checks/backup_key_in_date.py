"""The backups' own root key comes from the key service, is rotated in time, and opens every backup (clause 3.2.b)."""

import datetime as dt

from headshotly.continuity import selectors
from headshotly.continuity.errors import PlacesRefused
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

LONGEST = dt.timedelta(days=366)


@check(
    id="backup_key_in_date",
    clauses=("3.2.b",),
    title="The key of the backups is managed and rotated",
    words="We ask the key management service for the root key of the backups, which is not the customers': it must be "
    "younger than a year and the only one, and every backup must open with it in every place that keeps backups.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Read the state of the root keys, and open every backup's key with the one in force."""
    try:
        state = selectors.root_key_state()
    except PlacesRefused as refusal:
        return broken(refusal.sentence, ids=["backup stores"])
    if state is None:
        return unknown("No backup was made yet.")
    age = scene.now - state.made_at
    bad = [*state.unreadable]
    if age > LONGEST:
        bad.append(f"root {state.root} is {age.days} days old")
    if state.older:
        bad.append(f"{len(state.older)} older roots of the backups are not destroyed")
    bad += [f"backups in {region} open under an older root only" for region in state.stale]
    population = max(1, state.backups)
    if bad:
        return broken(f"Not as it must be: {shorten(bad)}.", ids=bad, population=population)
    return held(
        f"The root key of the backups is {age.days} days old, and all {state.backups} backups open with it.",
        population=population,
    )
