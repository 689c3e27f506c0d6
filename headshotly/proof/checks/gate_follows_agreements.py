"""The gate is open for a vendor exactly while its data-processing agreement is in force (clause 9.1.b)."""

from headshotly.policy import dates
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors import gate, selectors, way_out
from headshotly.vendors.errors import EgressRefused
from headshotly.vendors.models import Paper
from headshotly.vendors.standing import Standing


def _agreed(slug: str) -> bool:
    day = dates.today()
    return any(
        one.kind == Paper.AGREEMENT and one.from_on <= day <= one.until_on for one in selectors.documents_of(slug)
    )


def _opens_without_agreement() -> list[str]:
    """Return the vendors that get personal data, whose gate is open, and with whom nothing is agreed today."""
    found = []
    for one in selectors.in_use():
        openings = [gate.in_register(host.replace("*", "probe")) for host in one.vendor.hosts]
        is_open = any(opening is not None and opening.standing is not Standing.CLOSED for opening in openings)
        if one.vendor.categories and is_open and not _agreed(one.vendor.slug):
            found.append(one.vendor.slug)
    return found


def _leaks() -> bool:
    """Try to look a foreign name up past the gate."""
    import socket  # noqa: PLC0415 - nothing else here speaks to anybody

    try:
        socket.getaddrinfo("past-the-gate.invalid", 443)
    except EgressRefused:
        return False
    except OSError:
        return True
    return True


@check(
    id="gate_follows_agreements",
    clauses=("9.1.b",),
    title="No agreement, no data",
    words="We look at the gate of every vendor that gets personal data: it must be shut unless an agreement is in "
    "force today. Then a program of ours tries to reach a foreign host past the gate; the process itself must refuse.",
    assurance=Assurance.ENFORCED,
)
def look(_scene: Scene) -> Finding:
    """Hold the gate against the agreements, and try to get past it."""
    bad = _opens_without_agreement()
    if bad:
        return broken(f"The gate is open without an agreement for {shorten(bad)}.", ids=bad)
    if not way_out.installed() or _leaks():
        return broken("A program of ours reached out past the gate.", ids=["way_out"])
    used = len(selectors.in_use())
    said = f"The gates of {used} vendors follow their agreements" if used else "No vendor is in use"
    return held(f"{said}; going past the gate was refused.", population=used + 1)
