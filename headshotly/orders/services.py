"""Buying: an order is begun, paid at the payment service, and pays for headshots; or its money goes back."""

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.orders import invoices, ledger, seats, spending, states
from headshotly.orders.errors import (
    Contested,
    NothingLeft,
    OrderNotFound,
    PackageUnknown,
    PaymentsUnavailable,
    RefundRefused,
    TooMuch,
)
from headshotly.orders.invoices import issue
from headshotly.orders.models import (
    Credit,
    Dispute,
    Farewell,
    Invoice,
    Order,
    OrderState,
    Posting,
    Reason,
    Refund,
    RehearsedPayment,
    Seat,
    Spend,
    StoredEvent,
)
from headshotly.orders.money import share_up
from headshotly.orders.packages import REFUND_DAYS, SEATS_MAX, Package, package
from headshotly.orders.payments import Checkout, Fact, payments
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

PURPOSE = "orders"
PAGE_OPEN = dt.timedelta(hours=23)  # Stripe keeps a page, and an idempotency key, for a day
UNPAID_KEPT, EVENTS_KEPT = dt.timedelta(days=30), dt.timedelta(days=400)
WAITS, KNOWN = "waits for the payment it is about", "was known"
NO_ORDER = "there is no such order"
_RETURNED = "The bank returned it."


def _order_of(subject: UUID, order_id: UUID) -> Order:
    order = Order.objects.filter(id=order_id, subject=subject).first()
    if order is None:
        raise OrderNotFound(_("There is no such order."))
    return order


def _checked_seats(chosen: Package, count: int) -> int:
    most = SEATS_MAX if chosen.for_team else 1
    if not chosen.seats_min <= count <= most:
        sentence = _("%(package)s is sold for %(least)d to %(most)d people.")
        raise PackageUnknown(sentence % {"package": _(chosen.title), "least": chosen.seats_min, "most": most})
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
    too_old = clock.now() > order.created_at + PAGE_OPEN
    if order.state not in {OrderState.CREATED, OrderState.PENDING} or too_old:
        raise OrderNotFound(_("This order is over. Please begin a new one."))
    if order.checkout_ref:
        there = payments().page_of(order)
        if there is None:
            raise OrderNotFound(_("This order is over. Please begin a new one."))
        return there
    # Asked twice for one order, the payment service gives the same page: the order's id is the idempotency key.
    checkout = payments().begin(order, title=f"HeadShotly {package(order.package_id).title}")
    Order.objects.filter(id=order.id, checkout_ref="").update(checkout_ref=checkout.ref)
    Order.objects.filter(id=order.id, state=OrderState.CREATED).update(state=OrderState.PENDING)
    return checkout


@enforces("7.1.a")
def mark_paid(order: Order, fact: Fact) -> str:
    """Take a payment: state, books, invoice and headshots in one transaction, once.

    Args:
        order: locked by the caller.
        fact: what the payment service says.

    Returns:
        In words, what was done: ``was known`` where nothing was.
    """
    if fact.currency != order.currency:
        return "paid in another currency"
    if order.state not in states.UNPAID:
        second = fact.payment_ref and fact.payment_ref != order.payment_ref
        return _give_back_second(order, fact) if second else KNOWN
    order.state, order.paid_at = OrderState.PAID, clock.now()
    order.paid_minor, order.tax_minor, order.discount_minor = fact.amount_minor, fact.tax_minor, fact.discount_minor
    order.checkout_ref = fact.checkout_ref or order.checkout_ref
    order.payment_ref, order.payer_ref = fact.payment_ref, fact.payer_ref if order.subject else ""
    order.billed_abroad = fact.billed_abroad if order.subject else None
    order.save()
    ledger.book_payment(order)
    issue(order)
    if order.subject is None:
        # Its buyer left between paying and our hearing of it: nothing can be delivered, so the money goes back.
        _forget_payer(fact.payer_ref)
        ask_refund(order=order, cause="left", reason=Reason.LEFT, minor=order.paid_minor, actor=SYSTEM)
    elif package(order.package_id).for_team:
        seats.make(order)
    else:
        spending.grant(order, order.subject)
    audit.record(actor=SYSTEM, act=Act.ORDER_PAID, subject=order.subject, purpose=PURPOSE, object_ids=[order.id])
    return "paid"


def _give_back_second(order: Order, fact: Fact) -> str:
    """Book a second payment for one order as owed, and send it back: nobody pays twice for the same headshots."""
    if not ledger.book_second(order, payment_ref=fact.payment_ref, minor=fact.amount_minor):
        return KNOWN
    Refund.objects.create(
        order=order,
        cause=f"twice:{fact.payment_ref}",
        reason=Reason.TWICE,
        payment_ref=fact.payment_ref,
        minor=fact.amount_minor,
        asked_at=clock.now(),
    )
    audit.record(actor=SYSTEM, act=Act.REFUND_ASKED, subject=order.subject, purpose=PURPOSE, object_ids=[order.id])
    return "was paid twice; the second payment goes back"


def mark(order: Order, state: OrderState, act: Act) -> bool:
    """Move a locked order to a state that only needs to be written down; return whether it moved."""
    if order.state not in states.before(state):
        return False
    order.state = state
    order.save(update_fields=["state"])
    audit.record(actor=SYSTEM, act=act, subject=order.subject, purpose=PURPOSE, object_ids=[order.id])
    return True


def close_if_nothing_stands(order: Order) -> None:
    """Call a locked order refunded once everything that was paid went back."""
    if ledger.went_back(order) >= order.paid_minor:
        mark(order, OrderState.REFUNDED, Act.ORDER_REFUNDED)
        spending.void(order)


def drop_waiting_refunds(order: Order) -> None:
    """End the refunds of a locked order that a lost dispute has overtaken: the bank gave the money back."""
    waiting = Refund.objects.filter(order=order, payment_ref="", sent_at__isnull=True)
    waiting.update(sent_at=clock.now(), trouble="The bank gave the money back.")


def ask_refund(*, order: Order, cause: str, reason: Reason, minor: int, actor: Actor) -> Refund | None:
    """Write down that money shall go back; ``send_refunds`` sends it after the transaction.

    Args:
        order: locked by the caller.
        cause: such as ``shoot:<id>``; there is one refund for each.
        reason: one of the list.
        minor: how much; never more than what was paid and not asked back yet.
        actor: who asks.
    """
    there = Refund.objects.filter(order=order, cause=cause).first()
    if there is not None:
        return there
    # What others sent back at the payment service shows when ours is sent; our own are never more than was paid.
    ours = Refund.objects.filter(order=order, payment_ref="").exclude(cause__startswith="elsewhere:")
    minor = min(minor, order.paid_minor - sum(ours.values_list("minor", flat=True)))
    if minor <= 0:
        return None
    refund = Refund.objects.create(order=order, cause=cause, reason=reason, minor=minor, asked_at=clock.now())
    audit.record(actor=actor, act=Act.REFUND_ASKED, subject=order.subject, purpose=PURPOSE, object_ids=[order.id])
    return refund


@enforces("7.1.a")
def send_refunds() -> int:
    """Send every refund that was asked for and not sent; return how many went.

    Each carries its own id and attempt as the idempotency key: one that was sent but reported failure is sent again
    and is the same one.
    """
    waiting = Refund.objects.filter(sent_at__isnull=True, returned_at__isnull=True)
    return sum(_send(refund) for refund in waiting.select_related("order").order_by("asked_at"))


def _send(refund: Refund) -> bool:
    try:
        reference = payments().refund(refund.order, refund)
    except PaymentsUnavailable as trouble:
        Refund.objects.filter(id=refund.id).update(trouble=trouble.sentence[:200])
        return False
    except Contested as trouble:
        # The service keeps its answer to a key: asked again with this one it would say no long after the bank's yes.
        waiting = Refund.objects.filter(id=refund.id, attempt=refund.attempt, sent_at__isnull=True)
        waiting.update(trouble=trouble.sentence[:200], attempt=refund.attempt + 1)
        return False
    except TooMuch:
        _cut(refund)
        return False
    except NothingLeft:
        reference = ""  # somebody sent it back at the payment service; its own message says how much
    with transaction.atomic():
        order = Order.objects.select_for_update().get(id=refund.order_id)
        if not Refund.objects.filter(id=refund.id, attempt=refund.attempt, sent_at__isnull=True).update(
            provider_ref=reference, sent_at=clock.now(), trouble=""
        ):
            return False
        if reference and refund.payment_ref:
            ledger.book_second_back(order, name=reference, minor=refund.minor)
        elif reference:
            ledger.book_refund(order, name=reference, minor=refund.minor)
            close_if_nothing_stands(order)
        audit.record(actor=SYSTEM, act=Act.REFUND_SENT, subject=order.subject, purpose=PURPOSE, object_ids=[order.id])
    return True


def _cut(refund: Refund) -> None:
    """Ask for what is left where somebody sent a part back at the payment service; as a new attempt, with a new key.

    The service has said that this refund was not made. Before its message about the other one, nothing is cut.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().get(id=refund.order_id)
        left = order.paid_minor - ledger.went_back(order)
        if not refund.payment_ref and 0 < left < refund.minor:
            waiting = Refund.objects.filter(id=refund.id, attempt=refund.attempt, sent_at__isnull=True)
            waiting.update(minor=left, attempt=refund.attempt + 1)


def take_as_returned(order: Order, fact: Fact) -> str:
    """Note that the bank could not pay a refund out: the money is with us, the customer still has none.

    Args:
        order: locked by the caller.
        fact: names the refund.
    """
    at = dt.datetime.fromtimestamp(fact.at, dt.UTC)
    refund = Refund.objects.filter(order=order, provider_ref=fact.refund_ref).first()
    if refund is None and fact.ours:
        refund = Refund.objects.filter(order=order, id=fact.ours).first()
    # Its going may be told later than its coming back; each is booked once under the refund's id.
    if refund is not None and refund.payment_ref:
        ledger.book_second_back(order, name=fact.refund_ref, minor=fact.amount_minor)
        new = ledger.book_second_back(order, name=f"{fact.refund_ref}-returned", minor=-fact.amount_minor)
    else:
        ledger.book_refund(order, name=fact.refund_ref, minor=fact.amount_minor)
        new = ledger.book_returned(order, name=fact.refund_ref, minor=fact.amount_minor)
    if not new:
        return KNOWN
    if refund is None:
        # Somebody sent it at the payment service itself; from here on finance sees it as it sees ours.
        refund = Refund(
            order=order,
            cause=f"elsewhere:{fact.refund_ref}",
            reason=Reason.GOODWILL,
            minor=fact.amount_minor,
            asked_at=at,
        )
    refund.provider_ref, refund.sent_at = fact.refund_ref, refund.sent_at or at
    refund.returned_at, refund.trouble = at, _RETURNED
    refund.save()
    if order.state == OrderState.REFUNDED and ledger.went_back(order) < order.paid_minor:
        mark(order, OrderState.PAID, Act.REFUND_RETURNED)
    return "the bank returned a refund"


def send_again(*, actor: Actor, refund_id: UUID) -> Refund:
    """Try a refund anew that the bank had returned.

    Raises:
        OrderNotFound: there is none that was returned.
    """
    with transaction.atomic():
        refund = Refund.objects.select_for_update().filter(id=refund_id, returned_at__isnull=False).first()
        if refund is None:
            raise OrderNotFound("There is no refund that the bank returned.")
        refund.attempt += 1
        refund.returned_at, refund.sent_at, refund.provider_ref, refund.trouble = None, None, "", ""
        refund.save()
        audit.record(actor=actor, act=Act.REFUND_ASKED, purpose=PURPOSE, object_ids=[refund.order_id])
    send_refunds()
    refund.refresh_from_db()
    return refund


def refundable(order: Order) -> str:
    """Return why the buyer cannot take the money back by themselves, or nothing where they can."""
    if order.state != OrderState.PAID or order.paid_at is None:
        return _("Only a paid order can be refunded.")
    if clock.now() > order.paid_at + dt.timedelta(days=REFUND_DAYS):
        return _("The %(n)d days for a refund are over. Please write to us.") % {"n": REFUND_DAYS}
    if Spend.objects.filter(credit__order=order, downloaded_at__isnull=False).exists():
        return _("A headshot of this order was downloaded or opened in full size. Please write to us.")
    if Refund.objects.filter(order=order, reason=Reason.BUYER).exists():
        return _("The money is on its way back.")
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
            raise OrderNotFound(_("There is no such order."))
        reason = refundable(order)
        if reason:
            raise RefundRefused(reason)
        spending.void(order)
        ask_refund(order=order, cause="buyer", reason=Reason.BUYER, minor=order.paid_minor, actor=actor)
        close_if_nothing_stands(order)  # a coupon may have left nothing to send
    send_refunds()
    order.refresh_from_db()
    return order


def refund_by_staff(*, actor: Actor, order_id: UUID, minor: int, reason: Reason, once: UUID) -> Refund:
    """Give money back as finance decides.

    Args:
        actor: the member of staff.
        order_id: which order.
        minor: how much, in minor units.
        reason: one of the list.
        once: of the form; the same form sent twice is one refund.

    Raises:
        OrderNotFound: there is no such order.
        RefundRefused: it is not paid, or the amount is none.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(id=order_id).first()
        if order is None:
            raise OrderNotFound("There is no such order.")
        known = Refund.objects.filter(order=order, cause=f"finance:{once}").exists()
        if not known and (order.state != OrderState.PAID or minor <= 0):
            raise RefundRefused("Only a paid order can be refunded, and by more than nothing.")
        refund = ask_refund(order=order, cause=f"finance:{once}", reason=reason, minor=minor, actor=actor)
        if refund is None:
            raise RefundRefused("Everything of this order has gone back already.")
    send_refunds()
    refund.refresh_from_db()
    return refund


@enforces("7.1.a")
@transaction.atomic
def shoot_ended(*, shoot_id: UUID, failed: bool, made: Collection[str]) -> None:
    """Settle a shoot in the transaction that ends it: what was made is used, what was not comes back.

    Of a failed shoot, what was paid for comes back as money and is used up by that; what cost nothing comes back as
    headshots, as everything does when its owner stopped it.

    Args:
        shoot_id: which.
        failed: whether it failed, and was not stopped by its owner.
        made: the pieces that exist.
    """
    for unmade in spending.close(shoot_id, made=made):
        order = unmade.credit.order
        if not failed or order is None:
            spending.give_back(unmade)
            continue
        whole = package(order.package_id).headshots * order.seats
        part = share_up(order.paid_minor, unmade.headshots, whole)
        cause = f"shoot:{shoot_id}:{unmade.spend_id}"
        ask_refund(order=order, cause=cause, reason=Reason.SHOOT, minor=part, actor=SYSTEM)
    # The money is sent after the transaction, here or by the duty that looks every few minutes.
    transaction.on_commit(send_refunds, robust=True)


def _forget_payer(payer_ref: str) -> None:
    if payer_ref:
        Farewell.objects.get_or_create(payer_ref=payer_ref, defaults={"asked_at": clock.now()})


@enforces("1.2.c")
@transaction.atomic
def erase(subject: UUID) -> None:
    """Remove what ties a leaving customer to their purchases; amounts and invoice numbers stay for the accounts.

    What was paid, not used and could still be taken back goes back by itself. The payment service is told to forget
    the payer once the money went.
    """
    for order in Order.objects.select_for_update().filter(subject=subject).order_by("id"):
        if refundable(order) == "" and not _colleagues(order, subject):
            ask_refund(order=order, cause="left", reason=Reason.LEFT, minor=order.paid_minor, actor=SYSTEM)
            spending.void(order)
        _forget_payer(order.payer_ref)
        if order.state in {OrderState.CREATED, OrderState.PENDING}:
            order.state = OrderState.EXPIRED
        order.subject, order.payer_ref, order.billed_abroad = None, "", None
        order.save(update_fields=["state", "subject", "payer_ref", "billed_abroad"])
        RehearsedPayment.objects.filter(order_id=order.id, state="open").delete()
    Credit.objects.filter(subject=subject).delete()
    Seat.objects.filter(subject=subject).update(subject=None)
    transaction.on_commit(send_refunds, robust=True)


def _colleagues(order: Order, subject: UUID) -> bool:
    return Seat.objects.filter(order=order, taken_at__isnull=False).exclude(subject=subject).exists()


def say_farewell() -> int:
    """Have the payment service forget the payers who left and whose refunds are through; return how many."""
    told = 0
    if Refund.objects.filter(sent_at__isnull=True).exists():
        return told  # a payer who is forgotten may be hard to pay
    for one in Farewell.objects.order_by("asked_at"):
        try:
            payments().forget(one.payer_ref)
        except PaymentsUnavailable:
            break
        one.delete()
        told += 1
    return told


@enforces("1.2.c")
def drop_old() -> int:
    """Remove what no law and no promise keeps any longer; return how many orders went.

    Unpaid orders go after ``UNPAID_KEPT``; paid ones, with their books and invoice, once the law's years are over,
    and from the buyer's own pages with them.
    """
    now, gone = clock.now(), 0
    unpaid = Order.objects.filter(state=OrderState.EXPIRED, created_at__lt=now - UNPAID_KEPT, payment_ref="")
    over = Order.objects.filter(id__in=Invoice.objects.filter(issued_at__lt=invoices.law_until(now)).values("order_id"))
    for order_id in [*unpaid.values_list("id", flat=True), *over.values_list("id", flat=True)]:
        with transaction.atomic():
            for kind in (Invoice, Posting, Refund, Dispute, Credit, Seat):
                kind.objects.filter(order_id=order_id).delete()
            RehearsedPayment.objects.filter(order_id=order_id).delete()
            gone += Order.objects.filter(id=order_id).delete()[0]
    StoredEvent.objects.filter(done_at__isnull=False, received_at__lt=now - EVENTS_KEPT).delete()
    return gone
