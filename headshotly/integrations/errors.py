"""Why the integrations room refuses, one plain sentence each."""

from headshotly.policy.refusal import Refusal


class TokenNotMade(Refusal):
    """A token was asked for that cannot be: no name, no scope, too long, or too many."""

    code = "integrations.token_not_made"
    status = 422


class NotFound(Refusal):
    """There is no such token, endpoint or delivery, or it is somebody else's: the same answer."""

    code = "integrations.not_found"
    status = 404


class KeyUnusable(Refusal):
    """An idempotency key that is none."""

    code = "idempotency.key_unusable"
    status = 400


class KeyReused(Refusal):
    """The idempotency key stands for another request."""

    code = "idempotency.key_reused"
    status = 422


class KeyBusy(Refusal):
    """The request with this idempotency key is still being worked on."""

    code = "idempotency.key_busy"
    status = 409


class AllowanceSpent(Refusal):
    """This customer's programs asked too often."""

    code = "allowance.spent"
    status = 429


class WebhookRefused(Refusal):
    """An endpoint that cannot be registered, or an event that is none."""

    code = "integrations.webhook"
    status = 422


class NotDelivered(Refusal):
    """The endpoint did not take the message; it will be sent again.

    Attributes:
        answered: the HTTP status it answered with; None where nothing came back.
    """

    code = "integrations.not_delivered"
    status = 503

    def __init__(self, sentence: str, *, answered: int | None = None) -> None:
        super().__init__(sentence)
        self.answered = answered
