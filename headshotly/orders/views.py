"""Prices, buying, one's orders, seats; and the door the payment service knocks at."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.orders import events, invoices, rehearsal, seats, selectors, services
from headshotly.orders.errors import OrderNotFound, PackageUnknown, WebhookRefused
from headshotly.orders.models import Order, OrderState
from headshotly.orders.money import Money
from headshotly.orders.packages import PACKAGES, PROMISED_HOURS, REFUND_DAYS, SEATS_MAX, trial_headshots
from headshotly.orders.payments import Checkout, payments
from headshotly.policy import configuration
from headshotly.policy.permission import permission

_EVENT_BYTES_MAX = 512 * 1024


def _subject(request: HttpRequest) -> UUID:
    return cast("UUID", request.user.pk)


def _actor(request: HttpRequest) -> Actor:
    return Actor(kind="customer", id=_subject(request))


def _rehearsed() -> bool:
    return not configuration.current().options.get("stripe.secret_key")


@permission("public")
@require_safe
def prices(request: HttpRequest) -> HttpResponse:
    """Show what things cost."""
    context: dict[str, Any] = {
        "packages": PACKAGES.values(),
        "trial": trial_headshots(),
        "nothing": Money(0),
        "refund_days": REFUND_DAYS,
        "promised_hours": PROMISED_HOURS,
        "seats_max": SEATS_MAX,
        "rehearsed": _rehearsed(),
    }
    if request.user.is_authenticated:
        context["left"] = selectors.left(_subject(request))
    return render(request, "orders/prices.html", context)


@permission("customer")
@never_cache
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Show one's orders and what is left."""
    mine = selectors.orders_of(_subject(request))
    return render(request, "orders/history.html", {"orders": mine, "left": selectors.left(_subject(request))})


@permission("customer")
@require_POST
def buy(request: HttpRequest) -> HttpResponse:
    """Begin an order and lead to the payment page."""
    count = request.POST.get("count", "1").strip()
    if not (count.isascii() and count.isdecimal()):
        raise PackageUnknown(_("Please give a whole number of people."))
    begun, checkout = services.begin(
        actor=_actor(request),
        subject=_subject(request),
        package_id=request.POST.get("package", ""),
        count=int(count[:6]),
    )
    return _leave(request, begun.id, checkout)


def _leave(request: HttpRequest, order_id: UUID, checkout: Checkout) -> HttpResponse:
    """Lead to the payment page: ours at once, Stripe's by a page of its own, as no form of ours may lead away."""
    if checkout.url.startswith(f"{configuration.current().public_url}/"):
        return redirect(checkout.url)
    return render(request, "orders/leave.html", {"url": checkout.url, "order_id": order_id})


def _mine(request: HttpRequest, order_id: UUID) -> dict[str, Any]:
    shown = selectors.order_of(_subject(request), order_id)
    if shown is None:
        raise OrderNotFound(_("There is no such order."))
    return shown


@permission("customer")
@never_cache
@require_safe
def order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Show one order: where the payment page leads back to."""
    shown = _mine(request, order_id)
    context = {**shown, "waiting": shown["order"].state == OrderState.PENDING, "refund_days": REFUND_DAYS}
    return render(request, "orders/order.html", context)


@permission("customer")
@require_POST
def pay(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Lead to the payment page of an order that is not paid yet."""
    return _leave(request, order_id, services.resume(subject=_subject(request), order_id=order_id))


@permission("customer")
@require_POST
def take_back(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Give the money back."""
    services.take_back(actor=_actor(request), subject=_subject(request), order_id=order_id)
    messages.success(request, _("The money is on its way back. Banks take up to ten days to show it."))
    return redirect("orders:order", order_id=order_id)


@permission("customer")
@require_safe
def receipt(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Hand out the receipt as PDF."""
    invoice = selectors.invoice_of(_subject(request), order_id)
    if invoice is None:
        raise OrderNotFound(_("There is no receipt for this order."))
    answer = HttpResponse(invoices.as_pdf(invoice), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{invoice.number}.pdf"'
    return answer


@permission("customer")
@require_POST
def portal(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Lead to the payment service's own page about a customer's payments."""
    found: Order = _mine(request, order_id)["order"]
    back = f"{configuration.current().public_url}{reverse('orders:order', args=[found.id])}"
    if not found.payer_ref:
        raise OrderNotFound(_("The payment service has no page about this order."))
    return _leave(request, found.id, Checkout("", payments().portal(found.payer_ref, back)))


@permission("customer")
@never_cache
@require_POST
def seat_link(request: HttpRequest, order_id: UUID, seat_id: UUID) -> HttpResponse:
    """Draw the link of a free seat and show it once."""
    token = seats.new_link(subject=_subject(request), order_id=order_id, seat_id=seat_id)
    link = f"{configuration.current().public_url}{reverse('orders:seat', args=[token])}"
    return render(request, "orders/seat_link.html", {"link": link, "order_id": order_id})


@permission("customer")
@require_POST
def seat_withdraw(request: HttpRequest, order_id: UUID, seat_id: UUID) -> HttpResponse:
    """Take a seat back, as long as nothing was begun with it."""
    seats.withdraw(actor=_actor(request), subject=_subject(request), seat_id=seat_id)
    messages.success(request, _("The seat is free again. An older link to it no longer works."))
    return redirect("orders:order", order_id=order_id)


@permission("customer")
@never_cache
@require_http_methods(["GET", "POST"])
def seat(request: HttpRequest, token: str) -> HttpResponse:
    """Take a seat of a team."""
    if request.method == "POST":
        seats.take(actor=_actor(request), subject=_subject(request), token=token)
        messages.success(request, _("The seat is yours. Whoever bought it sees none of your pictures."))
        return redirect("studio:home")
    return render(request, "orders/seat.html", {"token": token})


@permission("customer")
@never_cache
@require_http_methods(["GET", "POST"])
def rehearse(request: HttpRequest, ref: str) -> HttpResponse:
    """Show the test checkout, where there is no payment service; its buttons send the message Stripe would send."""
    found = Order.objects.filter(checkout_ref=ref, subject=_subject(request), provider=rehearsal.Rehearsal.name).first()
    if found is None or not _rehearsed():
        raise OrderNotFound(_("There is no such payment."))
    if request.method == "POST":
        body, signature = rehearsal.decide(
            ref, order=found, pay=request.POST.get("decision") == "pay", coupon=request.POST.get("coupon", "")[:40]
        )
        events.receive(body, signature)
        return redirect("orders:order", order_id=found.id)
    context = {**_mine(request, found.id), "coupon": rehearsal.COUPON}
    return render(request, "orders/rehearsal.html", context)


def _bounded(request: HttpRequest) -> bytes:
    if request.content_type != "application/json":
        raise WebhookRefused("The message has not the form that was agreed.")
    announced = request.headers.get("Content-Length") or "0"
    if not announced.isdecimal() or int(announced) > _EVENT_BYTES_MAX:
        raise WebhookRefused("The message is too long.")
    return request.body


@permission("public")
@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Take a message from the payment service; anything but a signed and recent one is refused and journalled."""
    try:
        events.receive(_bounded(request), request.headers.get("Stripe-Signature", ""))
    except WebhookRefused:
        audit.record(actor=Actor(kind="visitor"), act=Act.WEBHOOK_REFUSED, purpose="orders", outcome=Outcome.REFUSED)
        return HttpResponse("refused", status=400, content_type="text/plain")
    return HttpResponse("kept", content_type="text/plain")
