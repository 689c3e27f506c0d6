"""Whatever left went to a vendor on the register, and only the kinds of data it was agreed to get (clause 1.2.d)."""

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors import gate, selectors
from headshotly.vendors.errors import EgressRefused

_TRACKER = "tracker.invalid"


@check(
    id="egress_on_register",
    clauses=("1.2.d",),
    title="Nothing goes to anybody else",
    words="We hold everything that ever left this system against the register of vendors: host and kind of data. Then "
    "we try to send something to a tracker; it must be refused.",
    assurance=Assurance.ENFORCED,
)
def look(_scene: Scene) -> Finding:
    """Hold the record of what left against the register."""
    left = selectors.outflows()
    stray = [f"{one.vendor} {one.host} {one.category}".strip() for one in selectors.strays()]
    if stray:
        return broken(f"Something left that nobody agreed to: {shorten(stray)}.", ids=stray, population=len(left))
    try:
        gate.require(_TRACKER)
    except EgressRefused:
        said = f"{len(left)} kinds of data went to hosts, all of them agreed" if left else "Nothing ever left"
        return held(f"{said}; a tracker was refused.", population=len(left) + 1)
    return broken(f"Something was let out to {_TRACKER}.", ids=[_TRACKER])
