"""The infrastructure names regions of the Union only, and denies every other (clause 2.2)."""

import json
import re

from headshotly.proof import infrastructure
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.infrastructure import Resource, TemplatesMissing
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors.regions import EU_REGIONS

_REGION = re.compile(r"\b(?:us|eu|ap|sa|ca|me|af|il|cn|mx|eusc)(?:-(?:gov|iso|de))?(?:-[a-z]+)-\d\b")


def _denies_others(policies: list[Resource], allowed: frozenset[str]) -> bool:
    for policy in policies:
        content = policy.properties.get("Content", {})
        document = json.loads(content) if isinstance(content, str) else content
        for statement in document.get("Statement", []):
            named = statement.get("Condition", {}).get("StringNotEquals", {}).get("aws:RequestedRegion", [])
            if statement.get("Effect") == "Deny" and named and set(named) <= allowed:
                return True
    return False


@check(
    id="templates_in_union",
    clauses=("2.2",),
    title="Production lies in the European Union",
    words="We read every region that production's templates name: all must lie in the European Union. And the "
    "organisation's own policy must deny everything asked of any other region.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Read the templates."""
    try:
        found = infrastructure.resources(scene.here)
    except TemplatesMissing as missing:
        return unknown(missing.sentence)
    named = {(one.name, region) for one in found for region in _REGION.findall(json.dumps(one.properties))}
    bad = [f"{name} in {region}" for name, region in named if region not in EU_REGIONS]
    if not _denies_others(infrastructure.of_kind(found, "AWS::Organizations::Policy"), EU_REGIONS):
        bad.append("no policy denies other regions")
    if bad:
        return broken(f"Outside the Union: {shorten(bad)}.", ids=bad, population=len(found))
    regions = {region for _, region in named}
    return held(f"Production's templates name {len(regions)} regions, all in the Union.", population=len(named))
