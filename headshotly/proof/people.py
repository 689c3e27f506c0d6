"""What the three checks of people have in common: who holds access without a record, and whether the gate holds."""

from django.db import transaction

from headshotly.access import grants, oversight
from headshotly.access.errors import GrantRefused
from headshotly.access.models import Scope
from headshotly.proof.findings import Finding, broken, held, shorten, unknown


def _refused(word: str) -> bool:
    """Say whether a made-up member without any record is refused, and for this very reason."""
    with transaction.atomic():
        try:
            grants.ask(
                member=oversight.stranger(),
                scope=Scope.DATABASE,
                subject=None,
                purpose="fault-analysis",
                ticket="PROBE-1",
                minutes=grants.MINUTES_MIN,
            )
        except GrantRefused as refusal:
            return word in refusal.sentence
        # A gate that let it through wrote a request of somebody who does not exist; nothing of it may stay.
        transaction.set_rollback(True)
    return False


def look_at_people(word: str, *, called: str) -> Finding:
    """Return what is to be said about everybody who holds a grant.

    Args:
        word: how a gap in the personnel record is worded, such as ``training``.
        called: what must be there, with its article.
    """
    if not _refused(word):
        return broken(f"Access was not refused to a made-up member without {called}.", ids=["gate:grants.ask"])
    held_now = oversight.live_grants()
    bad = [one.member.handle for one in held_now if oversight.gaps_named(one.member, word)]
    if bad:
        return broken(f"Holding access without {called}: {shorten(bad)}.", ids=bad, population=len(held_now))
    if not held_now:
        return unknown(f"Nobody holds access now; a made-up member without {called} was refused.")
    return held(f"All {len(held_now)} grants in force belong to somebody with {called}.", population=len(held_now))
