"""What production is made of is Amazon Web Services, and in production it is what runs (clause 2.1.a)."""

from headshotly.proof import infrastructure
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.infrastructure import TemplatesMissing
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_NEEDED = (
    "AWS::ECS::Service",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::RDS::DBCluster",
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
)


@check(
    id="hosted_on_aws",
    clauses=("2.1.a",),
    title="Production is hosted on AWS",
    words="We read the templates from which production is built: the service, its load balancer, databases, stores and "
    "keys must all be there, and everything in them must be of AWS. In production we also look at what the running "
    "service uses for keys and pictures.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Read the templates, and in production the configuration too."""
    here = scene.here
    if here.environment == "production":
        elsewhere = [
            f"{name} = {chosen}"
            for name, chosen, wanted in (
                ("key service", here.key_service, "aws-kms"),
                ("object store", here.object_store, "s3"),
            )
            if chosen != wanted
        ]
        if elsewhere:
            return broken(f"Production does not run on AWS: {shorten(elsewhere)}.", ids=elsewhere)
    try:
        found = infrastructure.resources(here)
    except TemplatesMissing as missing:
        return unknown(missing.sentence)
    bad = [one.name for one in found if not one.kind.startswith(("AWS::", "Custom::"))]
    bad += [kind for kind in _NEEDED if not infrastructure.of_kind(found, kind)]
    if bad:
        return broken(f"Not of AWS, or not there: {shorten(bad)}.", ids=bad, population=len(found))
    return held(f"All {len(found)} parts of production's templates are of AWS.", population=len(found))
