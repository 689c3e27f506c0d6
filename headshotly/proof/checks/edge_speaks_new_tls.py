"""Production's load balancer speaks TLS 1.2 and newer only (clause 3.1.a)."""

from headshotly.proof import infrastructure
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.infrastructure import Resource, TemplatesMissing
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_POLICIES = ("ELBSecurityPolicy-TLS13-1-2-", "ELBSecurityPolicy-TLS13-1-3-")


def _wrong(listener: Resource) -> bool:
    known = listener.properties
    if known.get("Protocol") == "HTTPS":
        return not str(known.get("SslPolicy", "")).startswith(_POLICIES)
    redirects = [one.get("RedirectConfig", {}).get("Protocol") for one in known.get("DefaultActions", [])]
    return redirects != ["HTTPS"]


@check(
    id="edge_speaks_new_tls",
    clauses=("3.1.a", "3.1.b"),
    title="The load balancer refuses old TLS",
    words="We read production's templates: the load balancer must use a policy that begins with TLS 1.2, and its plain "
    "door must do nothing but lead to HTTPS.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Read the templates."""
    try:
        found = infrastructure.resources(scene.here)
    except TemplatesMissing as missing:
        return unknown(missing.sentence)
    listeners = infrastructure.of_kind(found, "AWS::ElasticLoadBalancingV2::Listener")
    bad = [one.name for one in listeners if _wrong(one)]
    if bad:
        return broken(f"A listener speaks older TLS or serves plain HTTP: {shorten(bad)}.", ids=bad)
    secure = [one for one in listeners if one.properties.get("Protocol") == "HTTPS"]
    return held("Production's load balancer speaks TLS 1.2 and newer only.", population=len(secure))
