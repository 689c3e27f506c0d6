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
