"""No page for staff, customers or programs opens to a stranger (clauses 2.4.a, 2.4.b)."""

from headshotly.proof.doors import Door, addresses
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said

_MADE_UP = "00000000-0000-0000-0000-000000000007"
_CLOSED = {302, 401, 403, 404, 405}
# The only addresses of the staff door that open to a stranger; one marked public by mistake must not look right.
_STAFF_DOOR = "/staff/"
_WAYS_IN = ("/staff/sign-in/", "/staff/enrol/")


def _must_be_closed(door: Door) -> bool:
    return door.needed != "public" or (door.name.startswith(_STAFF_DOOR) and not door.name.startswith(_WAYS_IN))


def _example(where: str) -> str:
    """Return an address with made-up values where its pattern has parameters."""
    parts = where.split("<")
    filled = [_MADE_UP if part.startswith("uuid:") else ("7" if part.startswith("int:") else "x") for part in parts[1:]]
    return parts[0] + "".join(value + part.partition(">")[2] for value, part in zip(filled, parts[1:], strict=True))


@check(
    id="staff_pages_are_closed",
    clauses=("2.4.a", "2.4.b"),
    title="Closed pages stay closed",
    words="We ask the running service, as a stranger, for every page that is not public; none may open.",
    assurance=Assurance.ENFORCED,
)
def look(scene: Scene) -> Finding:
    """Ask for each."""
    service = scene.service
    closed = [door for door in addresses() if _must_be_closed(door)]
    bad = [door.name for door in closed if service.fetch(_example(door.name)).status not in _CLOSED]
    if bad:
        sentence = f"Open to a stranger: {shorten(bad)}."
        return broken(said(sentence, service), ids=bad, population=len(closed), emulated=service.emulated)
    sentence = f"None of {len(closed)} closed addresses opened to a stranger."
    return held(said(sentence, service), population=len(closed), emulated=service.emulated)
