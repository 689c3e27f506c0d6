"""Every setting that bears a region names one in the European Union, and any other is refused (clause 2.2)."""

import re

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors.regions import EU_REGIONS

_REGION = re.compile(r"\b((?:us|eu|ap|sa|ca|me|af|il|cn|mx|eusc|us-gov|us-iso)(?:-[a-z]+){1,2}-\d)\b")
_PROBES = ("us-east-1", "eu-west-2", "eu-central-2", "ap-southeast-2")  # two are called “eu” and lie outside


def _named(scene: Scene) -> dict[str, str]:
    """Return every region that a setting or an address in one names, by setting."""
    here = scene.here
    settings = {**here.options, "public_url": here.public_url}
    found = {name: region for name, value in settings.items() for region in _REGION.findall(value)}
    found |= {name: value for name, value in here.options.items() if name.endswith("region")}
    return found


def _accepted(region: str) -> bool:
    from headshotly.vendors import aws  # noqa: PLC0415 - boto3 is slow to import

    try:
        aws.client("s3", region=region)
    except ValueError:
        return False
    return True


@check(
    id="regions_in_union",
    clauses=("2.2",),
    title="European regions only",
    words="We look at every region that any setting or address names: each must lie in the European Union. Then we try "
    "to open a store in four regions outside it, two of which are called European; each must be refused.",
    assurance=Assurance.ENFORCED,
)
def look(scene: Scene) -> Finding:
    """Read the settings and try the gate."""
    named = _named(scene)
    bad = [f"{name} = {region}" for name, region in named.items() if region not in EU_REGIONS]
    if bad:
        return broken(f"A setting names a region outside the Union: {shorten(bad)}.", ids=bad, population=len(named))
    open_ = [region for region in _PROBES if _accepted(region)]
    if open_:
        return broken(f"A store in {shorten(open_)} was not refused.", ids=open_, population=len(_PROBES))
    said = f"{len(named)} settings name regions of the Union only" if named else "No setting names a region"
    return held(f"{said}, and {len(_PROBES)} regions outside were refused.", population=len(named) + len(_PROBES))
