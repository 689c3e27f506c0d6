"""Why the rights room refuses."""

from headshotly.policy.refusal import Refusal


class NotFound(Refusal):
    """It is not there, or somebody else's."""

    code = "rights.not_found"
    status = 404


class NotNow(Refusal):
    """The step cannot be taken in the state the request is in."""

    code = "rights.not_now"
    status = 409


class Incomplete(Refusal):
    """A form leaves out what is needed."""

    code = "rights.incomplete"
    status = 422


class TooLate(Refusal):
    """The law's limit for this step is over."""

    code = "rights.too_late"
    status = 409


class LinkGone(Refusal):
    """A link was used, or its time is over."""

    code = "rights.link_gone"
    status = 410


class MappingNotReviewed(Refusal):
    """A sentence changed and nobody has reviewed which controls it maps to (clause 11)."""

    code = "policy.mapping_not_reviewed"
    status = 409


class PublicationRefused(Refusal):
    """A version that exists already, has no effective date ahead, or says nothing new."""

    code = "policy.publication_refused"
    status = 409
