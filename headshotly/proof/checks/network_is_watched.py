"""Production's network is filtered and watched (clause 2.3.b)."""

import re

from headshotly.proof import infrastructure
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.infrastructure import Resource, TemplatesMissing
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_GROUP, _POLICY = "AWS::NetworkFirewall::RuleGroup", "AWS::NetworkFirewall::FirewallPolicy"
_NEEDED = {
    "a network firewall": "AWS::NetworkFirewall::Firewall",
    "what it follows": _POLICY,
    "a web application firewall": "AWS::WAFv2::WebACL",
    "its place before the load balancer": "AWS::WAFv2::WebACLAssociation",
    "flow logs": "AWS::EC2::FlowLog",
    "a log of what the network firewall told": "AWS::NetworkFirewall::LoggingConfiguration",
}
# A rule, and no remark about one.
_RULE = re.compile(r"^alert\s.*\bsid:\d+;", re.MULTILINE)
# A rule that lets something out, and the one such that there may be: who delivers customers' messages, by TLS alone.
_OPENING = re.compile(r"^pass\s.*$", re.MULTILINE)
_SENDERS = re.compile(r"pass tls \$SENDERS any -> !\$INSIDE 443 \(.*\btls\.sni;")
# Of traffic whose rules are tried in order; the others let through what no rule names.
_DROPPING = {"aws:drop_strict", "aws:drop_established", "aws:drop_established_app_layer",
             "aws:drop_established_app_layer_to_server"}  # fmt: skip


def _drops(policy: Resource) -> bool:
    said = policy.properties.get("FirewallPolicy", {})
    forwarded = said.get("StatelessDefaultActions") == ["aws:forward_to_sfe"]
    return forwarded and bool(_DROPPING & set(said.get("StatefulDefaultActions", [])))


def _missing(found: list[Resource]) -> list[str]:
    bad = [name for name, kind in _NEEDED.items() if not infrastructure.of_kind(found, kind)]
    groups = [one.properties.get("RuleGroup", {}) for one in infrastructure.of_kind(found, _GROUP)]
    sources = [one.get("RulesSource", {}) for one in groups]
    if not any(_RULE.search(str(one.get("RulesString", ""))) for one in sources):
        bad.append("our rules against intruders")
    opened = [line for one in sources for line in _OPENING.findall(str(one.get("RulesString", "")))]
    if not all(_SENDERS.match(line) for line in opened):
        bad.append("a rule less that lets out what is on no list")
    lists = [one.get("RulesSourceList", {}) for one in sources]
    if not any(one.get("GeneratedRulesType") == "ALLOWLIST" and one.get("Targets") for one in lists):
        bad.append("a list of ways out")
    bad += [
        f"{one.name}, dropping what is on no list" for one in infrastructure.of_kind(found, _POLICY) if not _drops(one)
    ]
    detectors = infrastructure.of_kind(found, "AWS::GuardDuty::Detector")
    if not any(one.properties.get("Enable") is True for one in detectors):
        bad.append("GuardDuty")
    return bad


@check(
    id="network_is_watched",
    clauses=("2.3.b",),
    title="The network is filtered and watched",
    words="We read production's templates: they must hold a network firewall with our rules against intruders that "
    "drops every connection to a name that is not on its list, but those of the one program that brings messages to "
    "addresses customers gave us, a firewall before the web service, and detectors that watch the network's traffic.",
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
    return held("Production's templates hold firewalls with our rules, and detectors.", population=len(_NEEDED) + 4)
