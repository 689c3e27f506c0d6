"""Why the cash desk refuses, one plain sentence each."""

from headshotly.policy.refusal import Refusal


class PackageUnknown(Refusal):
    """There is no such package, or not so many seats of it."""

    code = "orders.package"
    status = 422


class PaymentNeeded(Refusal):
    """There are not enough headshots left to make these."""

    code = "orders.payment_needed"
    status = 402


class PaymentsUnavailable(Refusal):
    """The payment service does not answer; nothing was charged by this."""

    code = "orders.payments_unavailable"
    status = 503


class NothingLeft(Refusal):
    """The payment service says that everything of a payment went back already."""

    code = "orders.nothing_left"
    status = 409


class TooMuch(Refusal):
    """Less is left of a payment than shall go back."""

    code = "orders.too_much"
    status = 409


class Contested(Refusal):
    """The customer's bank looks into the payment; nothing of it goes back before the bank has decided."""

    code = "orders.contested"
    status = 409


class RefundRefused(Refusal):
    """The money does not go back by itself."""

    code = "orders.refund"
    status = 409


class WebhookRefused(Refusal):
    """Not from the payment service, too old, or not understood."""

    code = "orders.webhook"
    status = 400


class OrderNotFound(Refusal):
    """There is none, or it is somebody else's."""

    code = "orders.not_found"
    status = 404


class SeatTaken(Refusal):
    """The link was used already, or its order was refunded."""

    code = "orders.seat"
    status = 409


class CardNumberRefused(Refusal):
    """Something that was sent looks like a card number; nothing of it is kept."""

    code = "orders.card_number"
    status = 422
