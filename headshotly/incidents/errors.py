"""Why this room says no."""

from headshotly.policy.refusal import Refusal


class NotFound(Refusal):
    """There is no such thing here."""

    code = "incidents.not_found"
    status = 404


class RuleRefused(Refusal):
    """A rule cannot be run as it is written; it is named with the reason, never dropped in silence."""

    code = "incidents.rule_refused"


class EventRefused(Refusal):
    """What a source delivered is no event of that source."""

    code = "incidents.event_refused"
