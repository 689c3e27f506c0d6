"""What a customer may still have made, reserved when a shoot starts and settled when it ends."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F

from headshotly.orders.errors import PaymentNeeded
from headshotly.orders.models import Credit, Order, OrderState, Spend, SpendState
from headshotly.orders.packages import package, trial_headshots
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces


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


@enforces("7.1.a")
def claim(subject: UUID, shoot_id: UUID, headshots: int) -> None:
    """Reserve headshots for a shoot, in the transaction that starts it: both happen or neither.

    Args:
        subject: whose.
        shoot_id: which shoot; a later claim for the same one adds to it.
        headshots: how many.

    Raises:
        PaymentNeeded: fewer are left.
    """
    with transaction.atomic():
        _trial(subject)
        # Locked in one order, so that two shoots at once neither wait for each other nor use the same headshot.
        list(Credit.objects.select_for_update().filter(subject=subject).order_by("id"))
        missing = headshots
        for credit in _usable(subject):
            taken = min(missing, credit.granted - credit.used)
            Credit.objects.filter(id=credit.id).update(used=F("used") + taken)
            Spend.objects.create(credit=credit, shoot_id=shoot_id, headshots=taken, reserved_at=clock.now())
            missing -= taken
            if missing == 0:
                return
        have = headshots - missing
        raise PaymentNeeded(
            f"That is {headshots} headshot{'' if headshots == 1 else 's'}, and you have {have} left. "
            "Please choose fewer, or a package."
        )


def note_download(shoot_id: UUID) -> None:
    """Write down that something of a shoot was downloaded, before a byte of it leaves."""
    Spend.objects.filter(shoot_id=shoot_id, downloaded_at__isnull=True).update(downloaded_at=clock.now())


@dataclass(frozen=True, slots=True)
class Unmade:
    """Headshots of one credit that were reserved for a shoot and never made."""

    spend_id: int
    credit: Credit
    headshots: int


def close(shoot_id: UUID, *, unmade: int) -> list[Unmade]:
    """End the reservations of a shoot, in the transaction that ends it.

    Args:
        shoot_id: which.
        unmade: how many headshots were asked for and not made.

    Returns:
        What was reserved for those, the newest reservation first; the caller gives back headshots or money.
    """
    found: list[Unmade] = []
    waiting = Spend.objects.select_for_update().filter(shoot_id=shoot_id, state=SpendState.RESERVED)
    for spend in waiting.order_by("-id"):
        lost = min(unmade, spend.headshots)
        unmade -= lost
        if lost:
            found.append(Unmade(spend.id, Credit.objects.select_for_update().get(id=spend.credit_id), lost))
        spend.headshots -= lost
        spend.state = SpendState.SETTLED if spend.headshots else SpendState.RETURNED
        spend.save(update_fields=["headshots", "state"])
    return found


def give_back(unmade: Unmade) -> None:
    """Return headshots to their credit; to one that was voided meanwhile, nothing."""
    credit = unmade.credit
    if credit.order is None or credit.order.state == OrderState.PAID:
        Credit.objects.filter(id=credit.id).update(used=F("used") - unmade.headshots)


def void(order: Order) -> None:
    """Leave nothing to use of an order whose money went back."""
    Credit.objects.filter(order=order).update(used=F("granted"))


def overdue(before: dt.datetime) -> list[UUID]:
    """Return the shoots that were reserved before a moment and have not ended."""
    waiting = Spend.objects.filter(state=SpendState.RESERVED, reserved_at__lt=before)
    return sorted(set(waiting.values_list("shoot_id", flat=True)))
