"""What a finding may be, how it was found, and what happens to it; pure."""

from django.db.models import TextChoices


class State(TextChoices):
    """Where a finding stands."""

    OPEN = "open", "Open"
    FIXED = "fixed", "Fixed"
    ACCEPTED = "accepted", "Accepted for a time"
    FALSE_POSITIVE = "false-positive", "False positive"


class Method(TextChoices):
    """How something is looked for."""

    CODE = "code", "Code (SAST)"
    SERVICE = "service", "Running service (DAST)"
    DEPENDENCIES = "dependencies", "Dependencies"
    SECRETS = "secrets", "Secrets"  # pragma: allowlist secret
    LICENCES = "licences", "Licences"
    PENETRATION = "penetration", "Penetration test"
    OTHER = "other", "Other"


class Grading(TextChoices):
    """Where a severity comes from."""

    VECTOR = "vector", "CVSS vector"
    SCORE = "score", "CVSS score"
    LEVEL = "level", "level the tool gave"
    DEFAULT = "default", "none was given"


class StepKind(TextChoices):
    """One thing that happened to a finding."""

    SEEN = "seen", "First seen"
    REOPENED = "reopened", "Seen again, opened again"
    GRADED = "graded", "Severity changed by a scan"
    RATED = "rated", "Rated by a person"
    ASSIGNED = "assigned", "Given to an owner"
    MISSED = "missed", "A scan no longer saw it"
    NOTED = "noted", "The document says about it"
    PROPOSED = "proposed", "Proposed"
    REFUSED = "refused", "Proposal refused"
    ACCEPTED = "accepted", "Accepted for a time"
    DISMISSED = "dismissed", "Found to be a false positive"
    ENDED = "ended", "Acceptance ran out"
    FIXED = "fixed", "Closed as fixed"
    OVERDUE = "overdue", "Past its limit"


class Verdict(TextChoices):
    """What somebody proposes instead of fixing."""

    ACCEPT = "accept", "Accept it for a time"
    DISMISS = "dismiss", "It is a false positive"


# Names tools go by → how they look. A scan by another tool says its method when it is taken in.
_TOOLS = (
    ("bandit", Method.CODE), ("semgrep", Method.CODE), ("opengrep", Method.CODE), ("codeql", Method.CODE),
    ("pip-audit", Method.DEPENDENCIES), ("osv-scanner", Method.DEPENDENCIES), ("grype", Method.DEPENDENCIES),
    ("trivy", Method.DEPENDENCIES), ("detect-secrets", Method.SECRETS), ("gitleaks", Method.SECRETS),
    ("pip-licenses", Method.LICENCES), ("schemathesis", Method.SERVICE), ("wapiti", Method.SERVICE),
    ("sslyze", Method.SERVICE), ("zap", Method.SERVICE), ("dast", Method.SERVICE),
)  # fmt: skip


def method_of(tool: str) -> Method:
    """Return how a tool looks, by a known word in its name; OTHER where none is known."""
    words = tool.casefold()
    return next((method for known, method in _TOOLS if known in words), Method.OTHER)
