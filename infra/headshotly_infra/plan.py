"""What differs between one deployment and another; every region is in the European Union (clauses 2.2.a, 6.1.b)."""

from dataclasses import dataclass

# Regions of AWS on the territory of member states of the European Union. London and Zürich are not.
EU_REGIONS = frozenset(
    {"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """One deployment.

    Attributes:
        account: the AWS account, twelve digits.
        primary: where the service runs.
        secondary: where copies are kept.
        domain: the name people use.
        certificate: ARN of the domain's certificate in ACM, in the primary region.
        image: the container image, by digest.
        mail_domain: the domain that mails come from; SES signs for it.
        alarm_mail: who is told of alarms and budgets.
        monthly_budget: in US dollars, the currency AWS bills in.
        web_max: most web tasks.
        worker_max: most workers.
        with_gpu: whether workers with a GPU are deployed as well.
        organisation_unit: target of the service control policy; empty where the account is not in an organisation.
    """

    account: str
    primary: str = "eu-central-1"
    secondary: str = "eu-west-1"
    domain: str = "www.headshotly.ai"
    certificate: str = ""
    image: str = ""
    mail_domain: str = "headshotly.ai"
    alarm_mail: str = "security@headshotly.ai"
    monthly_budget: int = 1500
    web_max: int = 12
    worker_max: int = 20
    with_gpu: bool = False
    organisation_unit: str = ""

    def __post_init__(self) -> None:
        """Refuse a plan that would leave the European Union or that runs an image nobody pinned.

        Raises:
            ValueError: with one plain sentence.
        """
        for region in (self.primary, self.secondary):
            if region not in EU_REGIONS:
                raise ValueError(f"{region} is not a region in the European Union; clause 2.2.a allows no other.")
        if self.primary == self.secondary:
            raise ValueError("Copies must lie in a second region; clause 6.1.b asks for two places.")
        if "@sha256:" not in self.image:
            raise ValueError(
                "The image must be named by its digest (…@sha256:…), so that what runs is what was checked."
            )
        if not self.certificate.startswith(f"arn:aws:acm:{self.primary}:"):
            raise ValueError("The certificate must be an ACM certificate in the primary region.")
