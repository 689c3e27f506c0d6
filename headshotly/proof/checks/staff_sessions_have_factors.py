"""No staff session without a second factor, now or ever; a session that had none would not count (clause 2.4.b)."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction

from headshotly.access import oversight, services
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


def _opens_without_factor(scene: Scene) -> bool:
    """Say whether a session of a member who never enrolled counts; everything tried is taken back."""
    token, now = secrets.token_urlsafe(32), scene.now
    with transaction.atomic():
        member = oversight.stranger()
        member.handle, member.enrolled_at = f"probe-{secrets.token_hex(8)}", None
        member.save(force_insert=True)
        oversight.sessions_of_probe(member, hashlib.sha256(token.encode()).digest(), now, now + timedelta(hours=1))
        opened = services.session_of(token) is not None
        transaction.set_rollback(True)
    return opened


@check(
    id="staff_sessions_have_factors",
    clauses=("2.4.b",),
    title="No staff session without a second factor",
    words="We look at every open session of staff for its member's second factor, and try a session of a made-up "
    "member who never enrolled one: it must count for nothing.",
    assurance=Assurance.ENFORCED,
)
def look(scene: Scene) -> Finding:
    """Look at every session and try one that must not count."""
    if _opens_without_factor(scene):
        return broken("A session of a member without a second factor was accepted.", ids=["gate:session_of"])
    sessions = oversight.sessions()
    bad = [one.member.handle for one in oversight.without_factor(sessions)]
    if bad:
        return broken(f"A session is open without a second factor: {shorten(bad)}.", ids=bad, population=len(sessions))
    if not oversight.enrolled():
        return unknown("No member of staff has enrolled yet; a session without a second factor was refused.")
    return held(
        f"None of {len(sessions)} open staff sessions lacks a second factor, and one that lacks it was refused.",
        population=oversight.enrolled(),
    )
