"""What differs between one deployment and another; every region is in the European Union (clauses 2.2.a, 6.1.b)."""

import re
from dataclasses import dataclass

# Regions of AWS on the territory of member states of the European Union. London and Zürich are not.
EU_REGIONS = frozenset(
    {"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"},
)  # fmt: skip

GPU_MACHINES = 4  # at most
LEAST_TASKS = 2  # web and worker: a zone may fail
_NAME = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Plan:
    """One deployment.

    Attributes:
        account: the AWS account, twelve digits.
        primary: where the service runs.
        secondary: where copies are kept.
        domain: the name people use.
        certificate: ARN of the domain's certificate in ACM, in the primary region.
        image: the container image, by digest, in the account's registry in the primary region.
        s3_prefix_list: AWS's list of the addresses of S3 in the primary region, ``pl-…``; security groups name it.
        mail_domain: the domain that mails come from; SES signs for it.
        alarm_mail: who is told of alarms and budgets.
        ways_out: further host names that tasks may reach, by commas: a pager, a chat, a collector of traces. A leading
            dot stands for every name below. Endpoints of customers need not be named.
        stripe_secret: ARN of a secret in the primary region with ``secret_key`` and ``webhook_secret``; without it
            nobody can pay.
        monthly_budget: in US dollars, the currency AWS bills in.
        web_max: most web tasks.
        worker_max: most workers.
        with_gpu: whether workers with a GPU can be deployed as well.
        gpu_workers: how many of them run; each takes a machine.
        founding: whether no program shall start yet: the first deployment, before the operator's task made the tables.
        organisation_unit: target of the service control policy; empty where the account is not in an organisation.
        management_account: of the organisation, which alone makes such a policy, and which none binds.
    """

    account: str
    primary: str = "eu-central-1"
    secondary: str = "eu-west-1"
    domain: str = "www.headshotly.ai"
    certificate: str = ""
    image: str = ""
    s3_prefix_list: str = ""
    mail_domain: str = "headshotly.ai"
    alarm_mail: str = "security@headshotly.ai"
    ways_out: str = ""
    stripe_secret: str = ""
    monthly_budget: int = 1500
    web_max: int = 12
    worker_max: int = 20
    with_gpu: bool = False
    gpu_workers: int = 0
    founding: bool = False
    organisation_unit: str = ""
    management_account: str = ""

    @property
    def names_outside(self) -> tuple[str, ...]:
        """Return the further names that tasks may reach."""
        return tuple(name.strip() for name in self.ways_out.split(",") if name.strip())

    def __post_init__(self) -> None:
        """Refuse a plan that would leave the European Union, run an image nobody pinned, or fail when it is deployed.

        Raises:
            ValueError: with one plain sentence.
        """
        for region in (self.primary, self.secondary):
            if region not in EU_REGIONS:
                raise ValueError(f"{region} is not a region in the European Union; clause 2.2.a allows no other.")
        for wrong, sentence in self._shortcomings():
            if wrong:
                raise ValueError(sentence)

    def _shortcomings(self) -> tuple[tuple[bool, str], ...]:
        registry = f"{self.account}.dkr.ecr.{self.primary}.amazonaws.com/"
        secrets = f"arn:aws:secretsmanager:{self.primary}:"
        return (
            (not re.fullmatch(r"\d{12}", self.account), "The account is a number of twelve digits."),
            (
                min(self.web_max, self.worker_max) < LEAST_TASKS,
                f"At least {LEAST_TASKS} web tasks and workers run, one in each zone; the most cannot be fewer.",
            ),
            (
                not 0 <= self.gpu_workers <= (GPU_MACHINES if self.with_gpu else 0),
                f"Workers with a GPU are {GPU_MACHINES} at most, and none without with_gpu.",
            ),
            (self.primary == self.secondary, "Copies must lie in a second region; clause 6.1.b asks for two places."),
            (
                "@sha256:" not in self.image,
                "The image must be named by its digest (…@sha256:…), so that what runs is what was checked.",
            ),
            (
                not self.image.startswith(registry),
                "The image must lie in the account's own registry in the primary region; no way leads to another.",
            ),
            (
                not self.certificate.startswith(f"arn:aws:acm:{self.primary}:"),
                "The certificate must be an ACM certificate in the primary region.",
            ),
            (
                not re.fullmatch(r"pl-[0-9a-f]{8,17}", self.s3_prefix_list),
                "Name the region's prefix list of S3 (pl-…); infra/README.md says what lists it.",
            ),
            (
                bool(self.stripe_secret) and not self.stripe_secret.startswith(secrets),
                "The secret of Stripe must be the ARN of a secret in the primary region.",
            ),
            (
                not all(_NAME.fullmatch(name) for name in self.names_outside),
                "A way out is a host name, or a dot and a domain, and never everything.",
            ),
            (
                bool(self.organisation_unit) and self.management_account in {"", self.account},
                "Name the organisation's management account; its policies bind every account but itself.",
            ),
        )
