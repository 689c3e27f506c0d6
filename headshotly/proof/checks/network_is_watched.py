"""Production's network is filtered and watched (clause 2.3.b)."""

import json

from headshotly.proof import infrastructure
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.infrastructure import Resource, TemplatesMissing
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_NEEDED = {
    "a network firewall": "AWS::NetworkFirewall::Firewall",
    "a web application firewall": "AWS::WAFv2::WebACL",
    "its place before the load balancer": "AWS::WAFv2::WebACLAssociation",
    "flow logs": "AWS::EC2::FlowLog",
}


def _missing(found: list[Resource]) -> list[str]:
    bad = [name for name, kind in _NEEDED.items() if not infrastructure.of_kind(found, kind)]
    rules = [json.dumps(one.properties) for one in infrastructure.of_kind(found, "AWS::NetworkFirewall::RuleGroup")]
    if not any("sid:" in text and "drop" in text for text in rules):
        bad.append("our rules against intruders")
    detectors = infrastructure.of_kind(found, "AWS::GuardDuty::Detector")
    if not any(one.properties.get("Enable") is True for one in detectors):
        bad.append("GuardDuty")
    return bad


@check(
    id="network_is_watched",
    clauses=("2.3.b",),
    title="The network is filtered and watched",
    words="We read production's templates: they must hold a network firewall with our rules against intruders, a "
    "firewall before the web service, and detectors that watch the network's traffic.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Read the templates."""
    try:
        found = infrastructure.resources(scene.here)
    except TemplatesMissing as missing:
        return unknown(missing.sentence)
    bad = _missing(found)
    if bad:
        return broken(f"Production's templates lack {shorten(bad)}.", ids=bad, population=len(found))
    return held("Production's templates hold firewalls with our rules, and detectors.", population=len(_NEEDED) + 2)
