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


class KeyDamaged(Refusal):
    """The key that signs security.txt cannot be read."""

    code = "proof.key_damaged"
    status = 503


class NotOpened(Refusal):
    """An encrypted report could not be opened."""

    code = "proof.not_opened"
    status = 422


class UnreadableMail(Refusal):
    """A mail in the security mailbox is no mail, or too large."""

    code = "proof.unreadable_mail"
    status = 422


class Incomplete(Refusal):
    """A form leaves out what is needed."""

    code = "proof.incomplete"
    status = 422


class NotFound(Refusal):
    """There is no such thing here."""

    code = "proof.not_found"
    status = 404


class NotNow(Refusal):
    """The step cannot be taken in the state the report is in."""

    code = "proof.not_now"
    status = 409


class ExportRefused(Refusal):
    """An auditor's pack cannot be written."""

    code = "proof.export_refused"
    status = 409
