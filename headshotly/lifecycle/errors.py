"""Why the register says no."""

from headshotly.policy.refusal import Refusal


class DocumentRefused(Refusal):
    """What a tool wrote is no SARIF or CycloneDX document, or holds more than we read."""

    code = "lifecycle.document_refused"
    status = 422


class VectorRefused(Refusal):
    """It is no CVSS vector of version 3.1 or 4.0."""

    code = "lifecycle.vector_refused"
    status = 422


class RetestRefused(Refusal):
    """The runs do not show that the named test failed before and passes now."""

    code = "lifecycle.retest_refused"
    status = 422


class StepRefused(Refusal):
    """A finding, a test, a training or a release does not take this step now, or not by this person."""

    code = "lifecycle.step_refused"
    status = 409


class Incomplete(Refusal):
    """A part is missing or makes no sense."""

    code = "lifecycle.incomplete"
    status = 422


class LimitsRefused(Refusal):
    """The operator's limits for fixing make no sense."""

    code = "lifecycle.limits_refused"
    status = 500


class NotFound(Refusal):
    """There is no such record."""

    code = "lifecycle.not_found"
    status = 404
