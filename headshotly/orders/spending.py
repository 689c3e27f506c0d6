"""What a customer may still have made, reserved when a shoot starts and settled when it ends.

Rows are locked in one order everywhere, orders before credits before spends, so that nobody waits for each other.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet, UUIDField
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from headshotly.orders.errors import PaymentNeeded
from headshotly.orders.models import Credit, Order, OrderState, Reason, Refund, Spend, SpendState
from headshotly.orders.packages import package, trial_headshots
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.prepared import Prepared


def _paid_by(shoot_id: UUID) -> QuerySet[Order]:
    spent = Spend.objects.filter(shoot_id=shoot_id).values("credit_id")
    return Order.objects.filter(id__in=Credit.objects.filter(id__in=spent).values("order_id"))


def _taken_back(order_id: UUID) -> QuerySet[Refund]:
    return Refund.objects.filter(order_id=order_id, reason__in=[Reason.BUYER, Reason.LEFT])


# Asked for each headshot that leaves in full size.
_SPENDS = Prepared(lambda shoot_id: Spend.objects.filter(shoot_id=shoot_id), shoot_id=UUIDField())
_ORDERS = Prepared(_paid_by, shoot_id=UUIDField())
_TAKEN_BACK = Prepared(_taken_back, order_id=UUIDField())


def grant(order: Order, subject: UUID) -> Credit:
    """Give a person the headshots of one seat of a paid order."""
    return Credit.objects.create(
        subject=subject, order=order, granted=package(order.package_id).headshots, created_at=clock.now()
    )


def _trial(subject: UUID) -> None:
    if trial_headshots():
        Credit.objects.get_or_create(
            subject=subject, order=None, defaults={"granted": trial_headshots(), "created_at": clock.now()}
        )


def left(subject: UUID) -> int:
    """Return how many headshots a customer may still have made."""
    _trial(subject)
    return sum(one.granted - one.used for one in _usable(subject))


def _usable(subject: UUID) -> list[Credit]:
    """Return what can be used, the trial first and then the oldest order; a disputed or refunded one cannot."""
    every = Credit.objects.filter(subject=subject, used__lt=F("granted")).select_related("order")
    good = [one for one in every if one.order is None or one.order.state == OrderState.PAID]
    return sorted(good, key=lambda one: (one.order_id is not None, one.created_at))


def _lock(credit_ids: Iterable[UUID]) -> None:
    order_ids = Credit.objects.filter(id__in=list(credit_ids), order__isnull=False).values_list("order_id", flat=True)
    list(Order.objects.select_for_update().filter(id__in=list(order_ids)).order_by("id"))
    list(Credit.objects.select_for_update().filter(id__in=list(credit_ids)).order_by("id"))


def _credits_of(shoot_id: UUID) -> list[UUID]:
    return list(Spend.objects.filter(shoot_id=shoot_id).values_list("credit_id", flat=True).distinct())


@enforces("7.1.a")
def claim(subject: UUID, shoot_id: UUID, pieces: Sequence[str]) -> None:
    """Reserve headshots for a shoot, in the transaction that starts it: both happen or neither.

    A piece this shoot paid for already is not paid for again; it is reserved anew unless it was downloaded.

    Args:
        subject: whose.
        shoot_id: which shoot.
        pieces: a stable name for each headshot that will be made.

    Raises:
        PaymentNeeded: fewer are left.
    """
    with transaction.atomic():
        _trial(subject)
        _lock(Credit.objects.filter(subject=subject).values_list("id", flat=True))
        paid = _reserve_again(shoot_id, set(pieces))
        missing = [piece for piece in dict.fromkeys(pieces) if piece not in paid]
        wanted = len(missing)
        for credit in _usable(subject):
            taken, missing = missing[: credit.granted - credit.used], missing[credit.granted - credit.used :]
            if taken:
                Credit.objects.filter(id=credit.id).update(used=F("used") + len(taken))
                Spend.objects.create(credit=credit, shoot_id=shoot_id, pieces=taken, reserved_at=clock.now())
        if missing:
            raise PaymentNeeded(_too_few(wanted, wanted - len(missing)))


def _too_few(wanted: int, have: int) -> str:
    first = ngettext("That is %(n)d headshot", "That is %(n)d headshots", wanted) % {"n": wanted}
    rest = _("and you have %(n)d left. Please choose fewer, or a package.") % {"n": have}
    return f"{first}, {rest}"


def _split(spend: Spend, pieces: Collection[str], **changes: Any) -> None:
    """Take pieces out of a locked spend into one of their own, which differs in what is given."""
    taken = [piece for piece in spend.pieces if piece in pieces]
    spend.pieces = [piece for piece in spend.pieces if piece not in pieces]
    if not spend.pieces:
        spend.delete()
    else:
        spend.save(update_fields=["pieces"])
    same = {"state": spend.state, "reserved_at": spend.reserved_at, "downloaded_at": spend.downloaded_at}
    Spend.objects.create(credit_id=spend.credit_id, shoot_id=spend.shoot_id, pieces=taken, **{**same, **changes})


def _reserve_again(shoot_id: UUID, pieces: set[str]) -> set[str]:
    """Take what is paid for and will be made anew back into reservation; return every piece that is paid for."""
    paid: set[str] = set()
    for spend in list(Spend.objects.select_for_update().filter(shoot_id=shoot_id).exclude(state=SpendState.RETURNED)):
        again = pieces.intersection(spend.pieces)
        paid.update(again)
        if again and spend.state == SpendState.SETTLED and spend.downloaded_at is None:
            _split(spend, again, state=SpendState.RESERVED, reserved_at=clock.now())
    return paid


@enforces("7.1.a")
def deliver(shoot_id: UUID, pieces: Collection[str]) -> None:
    """Write down that headshots of a shoot leave, before a byte of them does; from then on the buyer has them.

    What left before is looked at and not locked: there is nothing to write, and nothing makes it stay again.

    Raises:
        PaymentNeeded: its money went back, or is on its way back, or is disputed.
    """
    spends = _SPENDS.all(shoot_id=shoot_id)
    if spends:
        _require_paid(_ORDERS.all(shoot_id=shoot_id))
    if not any(_stays(spend, pieces) for spend in spends):
        return
    with transaction.atomic():
        used = _credits_of(shoot_id)
        _lock(used)
        _require_paid(_ORDERS.all(shoot_id=shoot_id))
        for spend in list(Spend.objects.select_for_update().filter(shoot_id=shoot_id)):
            if _stays(spend, pieces):
                _split(spend, pieces, state=SpendState.SETTLED, downloaded_at=clock.now())


def _require_paid(orders: Iterable[Order]) -> None:
    for order in orders:
        if order.state != OrderState.PAID or _given_back(order):
            raise PaymentNeeded(_("The money for these headshots went back or is disputed, so they stay here."))


def _stays(spend: Spend, pieces: Collection[str]) -> bool:
    """Say whether some of these pieces are paid for and did not leave yet."""
    waiting = spend.downloaded_at is None and spend.state != SpendState.RETURNED
    return waiting and not set(pieces).isdisjoint(spend.pieces)


def _given_back(order: Order) -> bool:
    return _TAKEN_BACK.one(order_id=order.id) is not None


@dataclass(frozen=True, slots=True)
class Unmade:
    """Headshots of one credit that were reserved for a shoot and never made."""

    spend_id: int
    credit: Credit
    headshots: int


def close(shoot_id: UUID, *, made: Collection[str]) -> list[Unmade]:
    """End the reservations of a shoot, in the transaction that ends it.

    Args:
        shoot_id: which.
        made: the pieces that exist.

    Returns:
        What was reserved and does not exist; the caller gives back headshots or money.
    """
    _lock(_credits_of(shoot_id))
    found: list[Unmade] = []
    for spend in Spend.objects.select_for_update().filter(shoot_id=shoot_id, state=SpendState.RESERVED).order_by("id"):
        lost = [piece for piece in spend.pieces if piece not in made]
        kept = [piece for piece in spend.pieces if piece in made]
        spend.pieces, spend.state = kept or lost, SpendState.SETTLED if kept else SpendState.RETURNED
        spend.save(update_fields=["pieces", "state"])
        if lost:
            credit = Credit.objects.select_related("order").get(id=spend.credit_id)
            found.append(Unmade(spend.id, credit, len(lost)))
    return found


def give_back(unmade: Unmade) -> None:
    """Return headshots to their credit; to one that was voided meanwhile, nothing."""
    credit = unmade.credit
    if credit.order is None or (credit.order.state == OrderState.PAID and not _given_back(credit.order)):
        Credit.objects.filter(id=credit.id).update(used=F("used") - unmade.headshots)


def void(order: Order) -> None:
    """Leave nothing to use of an order whose money went back."""
    Credit.objects.filter(order=order).update(used=F("granted"))


def overdue(before: dt.datetime) -> list[UUID]:
    """Return the shoots that were reserved before a moment and have not ended."""
    waiting = Spend.objects.filter(state=SpendState.RESERVED, reserved_at__lt=before)
    return sorted(set(waiting.values_list("shoot_id", flat=True)))
