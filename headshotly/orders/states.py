"""What may follow what in an order. Anything not listed does not happen."""

from headshotly.orders.models import OrderState as S

NEXT: dict[S, frozenset[S]] = {
    S.CREATED: frozenset({S.PENDING, S.PAID, S.EXPIRED}),
    S.PENDING: frozenset({S.PAID, S.EXPIRED}),
    S.EXPIRED: frozenset({S.PAID}),  # a payment that came late is still a payment
    S.PAID: frozenset({S.DISPUTED, S.REFUNDED}),
    S.DISPUTED: frozenset({S.PAID, S.REFUNDED}),
    S.REFUNDED: frozenset({S.PAID}),  # the bank could not pay it out, so we have the money again
}
UNPAID = frozenset({S.CREATED, S.PENDING, S.EXPIRED})


def before(state: S) -> list[S]:
    """Return the states from which an order may come into the given one."""
    return [earlier for earlier, following in NEXT.items() if state in following]
