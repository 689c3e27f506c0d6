"""What finance sees and does: money, never faces."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access.members import rights_of
from headshotly.access.views import member_of, needs_proof
from headshotly.audit.actor import Actor
from headshotly.orders import ledger, selectors, services
from headshotly.orders.errors import RefundRefused
from headshotly.orders.models import Reason
from headshotly.orders.money import Money, read
from headshotly.policy.permission import permission

_BY_HAND = (Reason.GOODWILL, Reason.QUALITY, Reason.LAW)


@permission("staff:orders.read")
@never_cache
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """Show orders, refunds that wait, and the last comparison with the payment service."""
    rows: list[dict[str, Any]] = [
        {
            "order": one,
            "short": str(one.id)[:8],
            "paid": Money(one.paid_minor),
            "stands": Money(ledger.balance(one)),
            "once": uuid4(),
        }
        for one in selectors.newest()
    ]
    context = {
        "rows": rows,
        "refunds": [(one, Money(one.minor)) for one in selectors.open_refunds()],
        "stuck": selectors.stuck_messages(),
        "reasons": [(one.value, one.label) for one in _BY_HAND],
        "once": uuid4(),
        "comparison": selectors.last_reconciliation(),
        "may_refund": "orders.refund" in rights_of(member_of(request)),
    }
    return render(request, "orders/desk.html", context)


def _choice(request: HttpRequest) -> tuple[Reason, UUID]:
    try:
        reason, once = Reason(request.POST.get("reason", "")), UUID(request.POST.get("once", ""))
    except ValueError:
        raise RefundRefused("Please choose a reason, and use the form as it is.") from None
    if reason not in _BY_HAND:
        raise RefundRefused("Please choose a reason, and use the form as it is.")
    return reason, once


@permission("staff:orders.refund")
@require_POST
@needs_proof
def refund(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Give money back, with a reason."""
    amount = read(request.POST.get("euros", ""))
    if amount is None:
        raise RefundRefused("Please give the amount as 12 or 12.50.")
    reason, once = _choice(request)
    member = member_of(request)
    made = services.refund_by_staff(
        actor=Actor(kind="staff", id=member.id, role=member.role),
        order_id=order_id,
        minor=amount.minor,
        reason=reason,
        once=once,
    )
    messages.success(request, f"{Money(made.minor)} {'went' if made.sent_at else 'goes'} back.")
    return redirect("orders-desk:orders")


@permission("staff:orders.refund")
@require_POST
@needs_proof
def send_again(request: HttpRequest, refund_id: UUID) -> HttpResponse:
    """Try a refund anew that the bank had returned."""
    member = member_of(request)
    made = services.send_again(actor=Actor(kind="staff", id=member.id, role=member.role), refund_id=refund_id)
    messages.success(request, f"{Money(made.minor)} {'went' if made.sent_at else 'goes'} back once more.")
    return redirect("orders-desk:orders")
