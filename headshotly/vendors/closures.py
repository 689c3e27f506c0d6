"""Shutting a vendor's door at once, and opening it again: whatever leaves for a vendor asks here first."""

import re

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vendors.models import VendorClosure

MAIL = "mail"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,118}[a-z0-9]")


class VendorClosed(Refusal):
    """The vendor's door is shut; nothing left for it."""

    code = "vendor.closed"
    status = 503


class VendorUnknown(Refusal):
    """This cannot be the name of a vendor."""

    code = "vendor.unknown"
    status = 422


def close(*, actor: Actor, vendor: str, because: str) -> bool:
    """Shut a vendor's door; return whether it was open.

    Raises:
        VendorUnknown: this cannot be a vendor's name.
    """
    name = vendor.strip().lower()
    if not _NAME.fullmatch(name):
        raise VendorUnknown("Please name the vendor as its door is called: mail, stripe, or the host of a webhook.")
    with transaction.atomic():
        _, fresh = VendorClosure.objects.get_or_create(
            vendor=name, defaults={"closed_at": clock.now(), "closed_by": actor.id, "because": because[:300]}
        )
        if fresh:
            audit.record(actor=actor, act=Act.VENDOR_CLOSED, purpose=name)
    return fresh


def open_again(*, actor: Actor, vendor: str) -> bool:
    """Open a vendor's door again; return whether it was shut."""
    with transaction.atomic():
        gone, _ = VendorClosure.objects.filter(vendor=vendor.strip().lower()).delete()
        if gone:
            audit.record(actor=actor, act=Act.VENDOR_OPENED, purpose=vendor.strip().lower())
    return bool(gone)


def closed() -> list[str]:
    """Return the vendors whose doors are shut."""
    return list(VendorClosure.objects.order_by("vendor").values_list("vendor", flat=True))


@enforces("8.1.a-b")
def require_open(name: str, *others: str) -> None:
    """Pass only while every door is open that a vendor is known by: its short name, or one of its hosts.

    Raises:
        VendorClosed: it is shut.
    """
    if VendorClosure.objects.filter(vendor__in=[each.lower() for each in (name, *others)]).exists():
        raise VendorClosed("This cannot be sent at the moment: its way out is closed while an incident is looked into.")
