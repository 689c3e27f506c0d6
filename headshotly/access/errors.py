"""Why the access room refuses."""

from headshotly.policy.refusal import Refusal


class PermissionMissing(Refusal):
    """The one who asks may not do this, or the page names no permission at all."""

    code = "access.permission"
    status = 403


class StaffSignInRefused(Refusal):
    """Handle, password and code do not belong together."""

    code = "access.sign_in"
    status = 401


class EnrolmentRefused(Refusal):
    """The link was used, is too old, or what was typed cannot be accepted."""

    code = "access.enrolment"
    status = 410


class HandleTaken(Refusal):
    """There already is a member of staff of this name, or it is no handle."""

    code = "access.handle"
    status = 409


class ClockMovedBack(Refusal):
    """The clock stands before a moment already seen."""

    code = "access.clock"
    status = 503


class RecordRefused(Refusal):
    """A personnel record cannot be written like this."""

    code = "access.personnel"
    status = 422


class GrantRefused(Refusal):
    """A grant cannot be asked for, decided, used or reviewed like this."""

    code = "access.grant"
    status = 403


class NotFound(Refusal):
    """There is no such thing, or it is somebody else's; which one is not said."""

    code = "access.not_found"
    status = 404


class SeatEmpty(Refusal):
    """Nobody is appointed to a seat that the law or our policy wants filled."""

    code = "access.seat_empty"
    status = 503


class TokenRefused(Refusal):
    """A service account cannot be made, or its token does not open this."""

    code = "access.token"
    status = 401


class ScopeMissing(Refusal):
    """A customer's token is valid, and was not given this scope.

    Attributes:
        scope: the one it lacks.
    """

    code = "access.scope"
    status = 403

    def __init__(self, sentence: str, *, scope: str) -> None:
        super().__init__(sentence)
        self.scope = scope
