"""Why the accounts room refuses. No sentence tells whether an address has an account."""

from headshotly.policy.refusal import Refusal


class InputRefused(Refusal):
    """Something typed cannot be accepted; ``field`` names where.

    Attributes:
        field: name of the form field.
    """

    code = "accounts.input"
    status = 422

    def __init__(self, sentence: str, *, field: str) -> None:
        super().__init__(sentence)
        self.field = field


class BreachListUnreadable(Refusal):
    """The list of breached passwords that the operator named cannot be read; it must not be silently ignored."""

    code = "accounts.breach_list"
    status = 503


class SignInRefused(Refusal):
    """Address and password do not belong together, or the address is not confirmed yet."""

    code = "accounts.sign_in"
    status = 401


class TooManyAttempts(Refusal):
    """This client failed too often with this address; others are not affected."""

    code = "accounts.too_many_attempts"
    status = 429


class LinkExpired(Refusal):
    """A link was used already, is too old, or was never ours."""

    code = "accounts.link"
    status = 410


class PasskeyRefused(Refusal):
    """The passkey's answer is stale, replayed, another's, or does not verify; which one is not said."""

    code = "accounts.passkey"
    status = 422
