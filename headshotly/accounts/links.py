"""Links sent by mail: signed, short-lived, useless after use, and silent about whom they concern."""

import base64
import hashlib
import hmac
from uuid import UUID

from django.core import signing

from headshotly.accounts.errors import LinkExpired
from headshotly.accounts.models import Customer

_PURPOSES = {"confirm": 3 * 24 * 3600, "reset": 3600, "address": 24 * 3600}


def _state(customer: Customer, purpose: str) -> str:
    """Return a fingerprint that changes when the link has done its work, so that it works once."""
    state = {
        "confirm": f"{customer.confirmed_at}",
        "reset": customer.password,
        "address": bytes(customer.new_email_index).hex(),
    }[purpose]
    digest = hashlib.sha256(f"{purpose}|{customer.id}|{state}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:12]).decode()


def make(customer: Customer, purpose: str) -> str:
    """Return a token for ``confirm``, ``reset`` or ``address``."""
    return signing.dumps([customer.id.hex, _state(customer, purpose)], salt=f"accounts.{purpose}")


def read(token: str, purpose: str) -> Customer:
    """Return the customer a token belongs to.

    Raises:
        LinkExpired: it is too old, used, forged, or for something else.
    """
    try:
        subject, state = signing.loads(token, salt=f"accounts.{purpose}", max_age=_PURPOSES[purpose])
        customer = Customer.objects.filter(id=UUID(hex=subject), is_active=True).first()
    except (signing.BadSignature, ValueError, TypeError):
        customer, state = None, ""
    if customer is None or not hmac.compare_digest(state, _state(customer, purpose)):
        raise LinkExpired("This link was used already or is too old. Please ask for a new one.")
    return customer
