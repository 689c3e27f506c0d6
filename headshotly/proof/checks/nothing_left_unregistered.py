"""Nothing leaves for a host that is on no register, and nothing ever did (clause 1.2.d)."""

import secrets
import socket

from django.db import transaction

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors import gate, selectors
from headshotly.vendors.errors import EgressRefused

_CARRIED = "mail addresses and letters"


def _passes_gate(host: str) -> bool:
    """Say whether the gate opens for a host; what it writes about the refusal stays in the journal."""
    try:
        with transaction.atomic():
            gate.require(host, carries=[_CARRIED])
    except EgressRefused:
        return False
    return True


def _passes_guard(host: str) -> bool:
    """Say whether this process may even look up a name that the gate never opened. Nothing is sent."""
    try:
        socket.getaddrinfo(host, 443)
    except EgressRefused:
        return False
    except OSError:
        return True  # the look-up was let out, and found nothing
    return True


@check(
    id="nothing_left_unregistered",
    clauses=("1.2.d",),
    title="Nothing leaves for a stranger",
    words="We try to send something to made-up hosts, through the gate and past it; all must be refused. Then we "
    "compare everything that ever left, host by host and kind of data by kind, with the register of vendors.",
    assurance=Assurance.ENFORCED,
)
def look(_scene: Scene) -> Finding:
    """Try strangers, then compare what left with the register."""
    made_up = secrets.token_hex(8)
    strangers = [f"{made_up}.example", f"api.stripe.com.{made_up}.example", f"{made_up}-eu-central-1.amazonaws.com"]
    open_ = [f"gate: {host}" for host in strangers if _passes_gate(host)]
    open_ += [f"guard: {host}" for host in strangers if _passes_guard(host)]
    tried = 2 * len(strangers)
    if open_:
        return broken(f"A host on no register was not refused: {shorten(open_)}.", ids=open_, population=tried)
    left = selectors.outflows()
    bad = [f"{one.vendor} → {one.host}: {one.category or 'nothing personal'}" for one in selectors.strays()]
    if bad:
        sentence = f"It left for somebody it was never agreed with: {shorten(bad)}."
        return broken(sentence, ids=bad, population=tried + len(left))
    return held(
        f"{tried} tries to reach a stranger were refused, and {len(left)} kinds of outflow all went to vendors on the "
        "register.",
        population=tried + len(left),
    )
