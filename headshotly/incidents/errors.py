"""Why this room says no."""

from headshotly.policy.refusal import Refusal


class NotFound(Refusal):
    """There is no such thing here."""

    code = "incidents.not_found"
    status = 404
