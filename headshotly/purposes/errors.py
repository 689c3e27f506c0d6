"""Why the purposes room refuses."""

from headshotly.policy.refusal import Refusal


class ConsentMissing(Refusal):
    """No consent to this activity is in force for this data subject (clause 1.1.d)."""

    code = "consent.missing"
    status = 403


class ConsentTextOutdated(Refusal):
    """The person answered a text that is no longer the current one."""

    code = "consent.text_outdated"
    status = 409


class UnknownActivity(Refusal):
    """Nobody declared this activity, so nobody can consent to it."""

    code = "consent.unknown_activity"
    status = 404


class ProcessingRestricted(Refusal):
    """The person restricted this processing or objected to it, and it stays stopped until that is lifted."""

    code = "processing.restricted"
    status = 403


class AssessmentMissing(Refusal):
    """A high-risk activity has no approved, current impact assessment (clause 1.1.b)."""

    code = "assessment.missing"
    status = 503


class AssessmentRefused(Refusal):
    """A step of an impact assessment that may not be taken now, or not by this person."""

    code = "assessment.refused"
    status = 409


class RiskRefused(Refusal):
    """An entry for the risk register that is incomplete, or that this person may not accept."""

    code = "risk.refused"
    status = 422


class ChoiceRefused(Refusal):
    """A time limit that was not offered."""

    code = "retention.refused"
    status = 422
