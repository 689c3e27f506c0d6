"""Buying: an order is begun, paid at the payment service, and pays for headshots; or its money goes back."""

import datetime as dt
from uuid import UUID

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.orders import ledger, seats, spending, states
from headshotly.orders.errors import OrderNotFound, PackageUnknown, PaymentsUnavailable, RefundRefused
from headshotly.orders.invoices import issue
from headshotly.orders.models import Credit, Order, OrderState, Refund, RehearsedPayment, Seat, Spend
from headshotly.orders.money import share
from headshotly.orders.packages import REFUND_DAYS, SEATS_MAX, Package, package
from headshotly.orders.payments import Checkout, Fact, payments
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

PURPOSE = "orders"


def _order_of(subject: UUID, order_id: UUID) -> Order:
    order = Order.objects.filter(id=order_id, subject=subject).first()
    if order is None:
        raise OrderNotFound("There is no such order.")
    return order


def _checked_seats(chosen: Package, count: int) -> int:
    most = SEATS_MAX if chosen.for_team else 1
    if not chosen.seats_min <= count <= most:
        raise PackageUnknown(f"{chosen.title} is sold for {chosen.seats_min} to {most} people.")
    return count


@enforces("7.1.a")
def begin(*, actor: Actor, subject: UUID, package_id: str, count: int = 1) -> tuple[Order, Checkout]:
    """Begin an order and return where to pay.

    A crash before the payment page is open leaves an order nobody paid; it expires by itself. A crash after it leaves
    one whose payment the daily comparison finds.

    Args:
        actor: the buyer.
        subject: the buyer's pseudonym.
        package_id: what.
        count: seats; 1 for one person.

    Raises:
        PackageUnknown: there is no such package, or not for so many.
        PaymentsUnavailable: the payment service did not answer.
    """
    chosen = package(package_id)
    count = _checked_seats(chosen, count)
    service = payments()
    with transaction.atomic():
        order = Order.objects.create(
            subject=subject,
            package_id=chosen.id,
            seats=count,
            currency=chosen.price.currency,
            price_minor=chosen.price.minor * count,
            provider=service.name,
            created_at=clock.now(),
        )
        audit.record(actor=actor, act=Act.ORDER_BEGUN, subject=subject, purpose=PURPOSE, object_ids=[order.id])
    return order, resume(subject=subject, order_id=order.id)


def resume(*, subject: UUID, order_id: UUID) -> Checkout:
    """Return where to pay for an order that is not paid; the same page as before.

    Raises:
        OrderNotFound: there is none, or it is over.
        PaymentsUnavailable: the payment service did not answer.
    """
    order = _order_of(subject, order_id)
    if order.state not in {OrderState.CREATED, OrderState.PENDING}:
        raise OrderNotFound("This order is over.")
    chosen = package(order.package_id)
    checkout = payments().begin(order, title=f"HeadShotly {chosen.title}")
    Order.objects.filter(id=order.id, state__in=states.before(OrderState.PENDING)).update(
        state=OrderState.PENDING, checkout_ref=checkout.ref
    )
    Order.objects.filter(id=order.id, checkout_ref="").update(checkout_ref=checkout.ref)
    return checkout


@enforces("7.1.a")
def mark_paid(order: Order, fact: Fact) -> bool:
    """Take a payment: state, books, invoice and headshots in one transaction, once.

    Args:
        order: locked by the caller.
        fact: what the payment service says.

    Returns:
        Whether the order became paid by this.
    """
    if order.state not in states.before(OrderState.PAID) or order.state == OrderState.DISPUTED:
        return False
    order.state, order.paid_at = OrderState.PAID, clock.now()
    order.paid_minor, order.tax_minor, order.currency = fact.amount_minor, fact.tax_minor, fact.currency
    order.checkout_ref = fact.checkout_ref or order.checkout_ref
    order.payment_ref, order.payer_ref = fact.payment_ref, fact.payer_ref
    order.save()
    ledger.book_payment(order)
    issue(order)
    if order.subject is None:
        # Its buyer left between paying and our hearing of it: nothing can be delivered, so the money goes back.
        ask_refund(order=order, cause="buyer-left", minor=order.paid_minor, actor=SYSTEM)
    elif package(order.package_id).for_team:
        seats.make(order)
    else:
        spending.grant(order, order.subject)
    audit.record(actor=SYSTEM, act=Act.ORDER_PAID, subject=order.subject, purpose=PURPOSE, object_ids=[order.id])
    return True


def mark(order: Order, state: OrderState, act: Act) -> bool:
    """Move a locked order to a state that only needs to be written down; return whether it moved."""
    if order.state not in states.before(state):
        return False
    order.state = state
    order.save(update_fields=["state"])
    audit.record(actor=SYSTEM, act=act, subject=order.subject, purpose=PURPOSE, object_ids=[order.id])
    return True


def book_returned(order: Order, *, total: int, name: str) -> int:
    """Book what has gone back in total, as far as it is not booked; return the difference, in minor units.

    The payment service tells totals, so that messages may come twice, late, or in any order.
    """
    returned = order.paid_minor - ledger.balance(order)
    missing = min(total, order.paid_minor) - returned
    if missing <= 0:
        return 0
    ledger.book_refund(order, name=name, minor=missing)
    if ledger.balance(order) == 0:
        mark(order, OrderState.REFUNDED, Act.ORDER_REFUNDED)
        spending.void(order)
    return missing


def ask_refund(*, order: Order, cause: str, minor: int, actor: Actor) -> Refund | None:
    """Write down that money shall go back; ``send_refunds`` sends it after the transaction.

    Args:
        order: locked by the caller.
        cause: such as ``shoot:<id>``; there is one refund for each.
        minor: how much; never more than what was paid and not asked back yet.
        actor: who asks.
    """
    asked = sum(Refund.objects.filter(order=order).exclude(cause=cause).values_list("minor", flat=True))
    minor = min(minor, order.paid_minor - asked)
    if minor <= 0:
        return None
    refund, new = Refund.objects.get_or_create(
        order=order, cause=cause, defaults={"minor": minor, "asked_at": clock.now()}
    )
    if new:
        audit.record(actor=actor, act=Act.REFUND_ASKED, subject=order.subject, purpose=PURPOSE, object_ids=[order.id])
    return refund


@enforces("7.1.a")
def send_refunds() -> int:
    """Send every refund that was asked for and not sent; return how many went.

    Each carries its own id as the idempotency key: one that was sent but reported failure is sent again and is the
    same one.
    """
    sent = 0
    for refund in Refund.objects.filter(sent_at__isnull=True).select_related("order").order_by("asked_at"):
        try:
            reference = payments().refund(refund.order, refund)
        except PaymentsUnavailable as trouble:
            Refund.objects.filter(id=refund.id).update(trouble=trouble.sentence)
            continue
        with transaction.atomic():
            order = Order.objects.select_for_update().get(id=refund.order_id)
            changed = Refund.objects.filter(id=refund.id, sent_at__isnull=True).update(
                provider_ref=reference, sent_at=clock.now(), trouble=""
            )
            if changed:
                gone = sum(Refund.objects.filter(order=order, sent_at__isnull=False).values_list("minor", flat=True))
                book_returned(order, total=gone, name=str(refund.id))
                audit.record(
                    actor=SYSTEM, act=Act.REFUND_SENT, subject=order.subject, purpose=PURPOSE, object_ids=[order.id]
                )
                sent += 1
    return sent


def refundable(order: Order) -> str:
    """Return why the buyer cannot take the money back by themselves, or nothing where they can."""
    if order.state != OrderState.PAID or order.paid_at is None:
        return "Only a paid order can be refunded."
    if clock.now() > order.paid_at + dt.timedelta(days=REFUND_DAYS):
        return f"The {REFUND_DAYS} days for a refund are over. Please write to us."
    if Spend.objects.filter(credit__order=order, downloaded_at__isnull=False).exists():
        return "A headshot of this order was downloaded. Please write to us."
    if Refund.objects.filter(order=order, cause="buyer").exists():
        return "The money is on its way back."
    return ""


@enforces("7.1.a")
def take_back(*, actor: Actor, subject: UUID, order_id: UUID) -> Order:
    """Give the buyer everything back that was not refunded yet; what was left to make is void.

    Raises:
        OrderNotFound: there is no such order.
        RefundRefused: something was downloaded, or too late.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(id=order_id, subject=subject).first()
        if order is None:
            raise OrderNotFound("There is no such order.")
        reason = refundable(order)
        if reason:
            raise RefundRefused(reason)
        spending.void(order)
        ask_refund(order=order, cause="buyer", minor=order.paid_minor, actor=actor)
    send_refunds()
    order.refresh_from_db()
    return order


def refund_by_staff(*, actor: Actor, order_id: UUID, minor: int, reason: str) -> Refund:
    """Give money back as finance decides.

    Raises:
        OrderNotFound: there is no such order.
        RefundRefused: it is not paid, the amount is none, or no reason is given.
    """
    if not reason.strip():
        raise RefundRefused("Please say why.")
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(id=order_id).first()
        if order is None:
            raise OrderNotFound("There is no such order.")
        if order.state != OrderState.PAID or minor <= 0:
            raise RefundRefused("Only a paid order can be refunded, and by more than nothing.")
        count = Refund.objects.filter(order=order).count()
        refund = ask_refund(order=order, cause=f"finance-{count + 1}: {reason.strip()[:50]}", minor=minor, actor=actor)
        if refund is None:
            raise RefundRefused("Everything of this order has gone back already.")
    send_refunds()
    refund.refresh_from_db()
    return refund


@enforces("7.1.a")
def shoot_ended(*, shoot_id: UUID, failed: bool, made: int, wanted: int) -> None:
    """Settle a shoot in the transaction that ends it: what was made is used, what was not comes back.

    Of a failed shoot, what was paid for comes back as money and is used up by that; what cost nothing comes back as
    headshots, as everything does when its owner stopped it.

    Args:
        shoot_id: which.
        failed: whether it failed, and was not stopped by its owner.
        made: headshots that exist.
        wanted: headshots that were asked for.
    """
    for unmade in spending.close(shoot_id, unmade=max(0, wanted - made)):
        if not failed or unmade.credit.order_id is None:
            spending.give_back(unmade)
            continue
        order = Order.objects.select_for_update().get(id=unmade.credit.order_id)
        whole = package(order.package_id).headshots * order.seats
        part = share(order.paid_minor, unmade.headshots, whole)
        ask_refund(order=order, cause=f"shoot:{shoot_id}:{unmade.spend_id}", minor=part, actor=SYSTEM)
    # The money is sent after the transaction, here or by the duty that looks every few minutes.
    transaction.on_commit(send_refunds, robust=True)


@enforces("1.2.c")
def erase(subject: UUID) -> None:
    """Remove what ties a leaving customer to their purchases; amounts and invoice numbers stay for the accounts."""
    Credit.objects.filter(subject=subject).delete()
    Seat.objects.filter(subject=subject).update(subject=None)
    mine = Order.objects.filter(subject=subject)
    RehearsedPayment.objects.filter(order_id__in=mine.values("id"), state="open").delete()
    mine.filter(state__in=[OrderState.CREATED, OrderState.PENDING]).update(state=OrderState.EXPIRED)
    mine.update(subject=None, payer_ref="")
