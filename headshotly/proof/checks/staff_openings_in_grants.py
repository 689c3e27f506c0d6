"""Every time staff saw something of a customer lies inside a grant for that customer, purpose and time (5.1.a)."""

import re
from collections.abc import Iterator
from uuid import UUID

from headshotly.access import oversight
from headshotly.access.models import Grant
from headshotly.audit import selectors
from headshotly.audit.acts import Act
from headshotly.audit.leaf import Leaf
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_GRANT = re.compile(r"grant ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_OPENINGS = (Act.OBJECT_OPENED, Act.FIELD_OPENED)


def _own(leaf: Leaf) -> bool:
    """Say whether a member opened something of their own: their second factor at sign-in."""
    return leaf.actor.id == leaf.subject


def _answers_request(leaf: Leaf) -> bool:
    """Say whether somebody read what a person wrote to us in a rights request, which needs the right, not a grant."""
    return leaf.purpose.startswith("rights-request ") and leaf.act is Act.FIELD_OPENED


def _inside(leaf: Leaf, grant: Grant | None) -> bool:
    if grant is None or grant.begins_at is None or grant.expires_at is None:
        return False
    end = min(grant.expires_at, grant.ended_at or grant.expires_at)
    return (
        grant.member_id == leaf.actor.id
        and grant.subject == leaf.subject
        and grant.approved_at is not None
        and grant.begins_at <= leaf.occurred_at <= end
    )


def _openings() -> Iterator[Leaf]:
    for leaf in selectors.leaves_of_acts(_OPENINGS):
        if leaf.actor.kind == "staff" and not _own(leaf):
            yield leaf


@check(
    id="staff_openings_in_grants",
    clauses=("5.1.a", "2.4.c"),
    title="Staff see only what a grant opens",
    words="We go through the whole journal: every time a member of staff saw something of a customer must lie inside a "
    "grant for that customer, given to that member, approved, and running at that moment.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Hold every opening in the journal against the grants."""
    grants: dict[str, Grant | None] = {}
    total, bad = 0, []
    for leaf in _openings():
        total += 1
        if _answers_request(leaf):
            continue
        named = _GRANT.search(leaf.purpose)
        key = named[1] if named else ""
        if key not in grants:
            grants[key] = oversight.grant(UUID(key)) if key else None
        if not _inside(leaf, grants[key]):
            bad.append(f"entry {leaf.entry_id}")
    if bad:
        return broken(f"Opened outside any grant: {shorten(bad)}.", ids=bad, population=total)
    if not total:
        return unknown("No member of staff has opened anything of a customer yet.")
    return held(
        f"All {total} openings by staff lie inside a grant or answer the person's own request.", population=total
    )
