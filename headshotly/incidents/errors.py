"""Why this room says no."""

from headshotly.policy.refusal import Refusal


class NotFound(Refusal):
    """There is no such thing here."""

    code = "incidents.not_found"
    status = 404


class NotNow(Refusal):
    """The step cannot be taken as the case or breach stands."""

    code = "incidents.not_now"
    status = 409


class Incomplete(Refusal):
    """A form leaves out what is needed, or holds what may not be there."""

    code = "incidents.incomplete"
    status = 422


class NeedsAnother(Refusal):
    """Somebody else must agree to this."""

    code = "incidents.four_eyes"
    status = 403


class EvidenceAltered(Refusal):
    """A piece of evidence is not what was put there."""

    code = "incidents.evidence_altered"
    status = 500


class ReadOnly(Refusal):
    """The whole service only shows, and changes nothing, while an incident is looked into."""

    code = "service.read_only"
    status = 503


class RuleRefused(Refusal):
    """A rule cannot be run as it is written; it is named with the reason, never dropped in silence."""

    code = "incidents.rule_refused"


class EventRefused(Refusal):
    """What a source delivered is no event of that source."""

    code = "incidents.event_refused"
