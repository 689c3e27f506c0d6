"""Every vendor in use was assessed and approved by somebody else, and nobody unknown gets through (clause 9.1.a)."""

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors import gate, register, selectors
from headshotly.vendors.errors import EgressRefused

_NOBODY = "nobody-we-know.invalid"


@check(
    id="vendors_chosen",
    clauses=("9.1.a",),
    title="Vendors are chosen, not found",
    words="We look at every vendor in use: somebody must have assessed it, and somebody other than who proposed "
    "it must have approved it. Then we try to send something to a host nobody ever approved; it must be refused.",
    assurance=Assurance.ENFORCED,
)
def look(_scene: Scene) -> Finding:
    """Read the register and try the gate."""
    used = selectors.in_use()
    bad = [
        one.vendor.slug
        for one in used
        if one.vendor.decided_by in {"", one.vendor.proposed_by} or register.newest_assessment(one.vendor.slug) is None
    ]
    if bad:
        return broken(f"In use without assessment and approval: {shorten(bad)}.", ids=bad, population=len(used))
    try:
        gate.require(_NOBODY)
    except EgressRefused:
        said = f"{len(used)} vendors in use, each assessed and approved" if used else "No vendor is in use"
        return held(f"{said}; an unknown host was refused.", population=len(used) + 1)
    return broken(f"The gate let something out to {_NOBODY}, which nobody approved.", ids=[_NOBODY])
