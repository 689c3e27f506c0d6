"""Keys come from the key management service, are rotated in time, and none is left behind (clause 3.2.b)."""

import datetime as dt

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vault import selectors

LONGEST = dt.timedelta(days=366)


@check(
    id="root_key_in_date",
    clauses=("3.2.b",),
    title="Keys are managed and rotated",
    words="We ask the key management service for its root keys: the one in use must be younger than a year, every "
    "customer key must be wrapped under it in every copy, and no key of a deleted customer may be left. In "
    "production the service must be AWS KMS.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Read the state of the key hierarchy."""
    state = selectors.keys_state()
    made_at = dt.datetime.fromisoformat(state.roots[state.current_root])
    age = scene.now - made_at
    bad = []
    if scene.here.environment == "production" and scene.here.key_service != "aws-kms":
        bad.append(f"the key service is {scene.here.key_service}")
    if age > LONGEST:
        bad.append(f"root {state.current_root} is {age.days} days old")
    if state.stale:
        bad.append(f"{state.stale} keys are wrapped under an older root")
    if state.incomplete:
        bad.append(f"{state.incomplete} keys lack a copy")
    if state.erased_held:
        bad.append(f"{state.erased_held} keys of deleted customers are left")
    population = max(1, state.keys)
    if bad:
        return broken(f"Not as it must be: {shorten(bad)}.", ids=bad, population=population)
    return held(
        f"The root key is {age.days} days old, and all {state.keys} customer keys are wrapped under it, in every copy.",
        population=population,
    )
