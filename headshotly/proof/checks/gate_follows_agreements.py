"""The gate to the outside is open for a processor exactly while its agreement is in force (clause 9.1.b)."""

import secrets

from django.db import transaction

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors import gate, selectors
from headshotly.vendors.errors import EgressRefused
from headshotly.vendors.selectors import Judged
from headshotly.vendors.standing import Standing


def _lets_strangers_through() -> bool:
    """Say whether the gate opens for a made-up host; what it writes about the refusal stays in the journal."""
    try:
        with transaction.atomic():
            gate.require(f"{secrets.token_hex(8)}.example", carries=["mail addresses and letters"])
    except EgressRefused:
        return False
    return True


def _opens(one: Judged) -> bool:
    """Say whether the gate would let personal data through to a vendor's first host now; sends nothing."""
    host = str(one.vendor.hosts[0]).replace("*.", "probe.")
    opening = gate.in_register(host)
    return opening is not None and opening.standing is not Standing.CLOSED


@check(
    id="gate_follows_agreements",
    clauses=("9.1.b",),
    title="No agreement, no data",
    words="For each vendor that receives personal data we compare the gate through which everything leaves with the "
    "agreement on file: it must be open while the agreement is in force and closed when it is not. And we try to "
    "send to a made-up host, which must be refused.",
    assurance=Assurance.ENFORCED,
)
def look(_scene: Scene) -> Finding:
    """Try a stranger, then compare the gate with the agreements."""
    if _lets_strangers_through():
        return broken("The gate opened for a host that is on no register.", ids=["gate:stranger"])
    today, used = selectors.today(), [one for one in selectors.in_use() if one.facts.categories and one.vendor.hosts]
    bad = []
    for one in used:
        agreed = one.facts.agreement_until is not None and one.facts.agreement_until >= today
        if _opens(one) and not agreed:
            bad.append(one.vendor.slug)
    if bad:
        return broken(f"The gate is open without an agreement in force: {shorten(bad)}.", ids=bad, population=len(used))
    if not used:
        return unknown("No vendor receives personal data here; the gate refused a host that is on no register.")
    return held(
        f"The gate is open for {len(used)} processors with an agreement in force, and refused a made-up host.",
        population=len(used),
    )
