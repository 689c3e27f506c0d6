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
