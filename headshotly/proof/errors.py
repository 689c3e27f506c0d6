"""Why this room refuses."""

from headshotly.policy.refusal import Refusal


class CheckMisnamed(ImportError):
    """A file under ``checks/`` does not hold exactly the check it is named for; nothing starts."""


class ExceptionRefused(Refusal):
    """An exception lacks a part, or is decided by who asked for it."""

    code = "proof.exception_refused"
    status = 409


class AttestationRefused(Refusal):
    """An attestation lacks a part or a sensible date."""

    code = "proof.attestation_refused"
    status = 409


class NothingToCheck(Refusal):
    """The clauses asked for do not exist."""

    code = "proof.nothing_to_check"
    status = 404
