"""The sweeper: what is older than its declared limit, or than its owner chose, goes by itself (GDPR 5(1)(e)).

One sweep stands beside each declared limit; ``tests/rights/test_retention.py`` fails where a limit has none.
"""

import contextlib
import datetime as dt
from collections.abc import Callable
from uuid import UUID

from headshotly.accounts import selectors as accounts
from headshotly.accounts import services as account_services
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.incidents import retention as incidents
from headshotly.integrations import allowance, idempotency, tokens, troubles, webhooks
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.purposes.declarations import TimeLimit, limits
from headshotly.purposes.retention import chosen
from headshotly.rights import erasure, exports, mailing, notices, services
from headshotly.rights.errors import NotNow
from headshotly.studio import selectors as studio_contents
from headshotly.studio import services as studio
from headshotly.studio.errors import NotFound as AlreadyGone

UNUSED_NOTICE = dt.timedelta(days=30)


def _over(limit: TimeLimit, subject: UUID, begun: dt.datetime, choices: dict[UUID, int | None]) -> bool:
    """Say whether something of somebody is older than its limit; None means it is kept until they delete it."""
    days = choices.get(subject, limit.days)
    return days is not None and begun + dt.timedelta(days=days) <= clock.now()


def _earliest(limit: TimeLimit, choices: dict[UUID, int | None]) -> dt.datetime | None:
    """Return the moment before which anything could be over, or None where nothing ever is."""
    lengths = [days for days in (limit.days, *choices.values()) if days is not None]
    return clock.now() - dt.timedelta(days=min(lengths)) if lengths else None


def _photos(limit: TimeLimit) -> int:
    choices = chosen(limit)
    moment = _earliest(limit, choices)
    gone = 0
    for photo in studio_contents.photos_received_before(moment) if moment else ():
        if _over(limit, photo.subject, photo.received_at, choices):
            with contextlib.suppress(AlreadyGone):  # deleted by its owner at this moment
                studio.delete_photo(actor=SYSTEM, subject=photo.subject, photo_id=photo.id)
                gone += 1
    return gone


def _headshots(limit: TimeLimit) -> int:
    choices = chosen(limit)
    moment = _earliest(limit, choices)
    gone = 0
    for made in studio_contents.headshots_made_before(moment) if moment else ():
        if _over(limit, made.subject, made.made_at, choices):
            with contextlib.suppress(AlreadyGone):
                studio.delete_headshot(actor=SYSTEM, subject=made.subject, headshot_id=made.id)
                gone += 1
    return gone


def _unused_accounts(limit: TimeLimit) -> int:
    """Plan the erasure of accounts unused for as long as their owner chose; they are told a month ahead."""
    planned = 0
    for subject, days in chosen(limit).items():
        if days is None or not accounts.is_unused_since(subject, clock.now() - dt.timedelta(days=days)):
            continue
        try:
            made = erasure.plan_unused(subject=subject, notice=UNUSED_NOTICE)
        except NotNow:
            continue
        notices.tell_unused(subject, due_at=made.due_at)
        planned += 1
    return planned


def _moment(limit: TimeLimit) -> dt.datetime:
    if limit.days is None:
        raise ValueError(f"the limit {limit.id} is fixed and says no days")
    return clock.now() - dt.timedelta(days=limit.days)


SWEEPS: dict[str, Callable[[TimeLimit], int]] = {
    "photos": _photos,
    "headshots": _headshots,
    "unused-account": _unused_accounts,
    "sign-in-traces": lambda limit: account_services.forget_traces(before=_moment(limit)),
    "access-tokens": lambda limit: tokens.forget_old(before=_moment(limit)),
    "webhook-log": lambda limit: (
        webhooks.forget_old(before=_moment(limit)) + troubles.forget_old(before=_moment(limit))
    ),
    "repeated-requests": lambda _limit: idempotency.forget_old() + allowance.forget_old(),
    "deletion-receipts": lambda limit: studio.forget_receipts(before=_moment(limit)),
    "requests": lambda limit: services.forget_old(before=_moment(limit)),
    "exports": lambda _limit: exports.expire(),
    "events": lambda _limit: incidents.forget_events(),
    "alerts": lambda limit: incidents.forget_alerts(before=_moment(limit)),
    "legal-mail": lambda limit: mailing.forget_old(before=_moment(limit)),
}


@enforces("1.1.a", "1.1.d")
def sweep() -> dict[str, int]:
    """Enforce every declared limit.

    Returns:
        Limit → how many things went, or were planned to.

    Raises:
        LookupError: a limit is declared and nothing enforces it.
    """
    found = {}
    for name, limit in limits().items():
        if name not in SWEEPS:
            raise LookupError(f"nothing enforces the time limit {name}")
        found[name] = SWEEPS[name](limit)
    gone = sum(found.values())
    if gone:
        said = ", ".join(f"{name} {count}" for name, count in found.items() if count)
        audit.record(actor=SYSTEM, act=Act.RETENTION_ENFORCED, purpose=said)
    return found
