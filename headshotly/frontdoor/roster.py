"""Does the rooms' duties when they are due, each once across all machines.

A duty is claimed in one short transaction and done outside it. A crash in between leaves a claim that runs out after
the duty's longest time; then the next machine does it again, which every duty must bear.
"""

import datetime as dt
import logging
import secrets
from collections.abc import Collection, Iterable

from django.db import transaction

from headshotly.frontdoor import program_metrics
from headshotly.frontdoor.models import DutyRecord
from headshotly.incidents import containment
from headshotly.policy import clock
from headshotly.policy.duties import Duty, declared
from headshotly.policy.refusal import Refusal

RETRY = dt.timedelta(minutes=5)
# What is done while an incident has made the service read-only: what looks, calls and tells, and what backs up.
_WHILE_READ_ONLY = ("incidents.", "proof.", "access.", "continuity.")
_logger = logging.getLogger(__name__)


def require_known(names: Iterable[str]) -> None:
    """Pass where each name is that of a duty.

    Raises:
        Refusal: one is not.
    """
    unknown = sorted(set(names) - {duty.name for duty in declared()})
    if unknown:
        raise Refusal(f"There is no duty “{unknown[0]}”.", code="duty.unknown")


def run_due(*, names: tuple[str, ...] = (), slow: bool | None = None, but: Collection[str] = frozenset()) -> list[str]:
    """Do every duty that is due and nobody else is doing.

    Args:
        names: do exactly these, due or not.
        slow: only those that take long, or only the others; None for both.
        but: leave these to another program.

    Returns:
        The names of the duties done, whether they succeeded or not.

    Raises:
        Refusal: a name is none of a duty.
    """
    known = {duty.name: duty for duty in declared()}
    require_known(names)
    done = []
    still = not names and containment.read_only()
    for name, duty in known.items():
        if (names and name not in names) or name in but or (slow is not None and duty.slow != slow):
            continue
        if still and not name.startswith(_WHILE_READ_ONLY):
            continue
        holder = secrets.token_hex(16)
        if _claim(duty, holder, whenever=bool(names)):
            _do(duty, holder)
            done.append(name)
    return done


def _claim(duty: Duty, holder: str, *, whenever: bool) -> bool:
    """Take a duty for its longest time. A crash after this leaves it held; nobody does it twice at once."""
    now = clock.now()
    with transaction.atomic():
        DutyRecord.objects.get_or_create(name=duty.name, defaults={"due_at": now})
        record = DutyRecord.objects.select_for_update().get(name=duty.name)
        if record.held_until is not None and record.held_until > now:
            return False
        if record.due_at > now and not whenever:
            return False
        record.holder, record.held_until, record.began_at = holder, now + duty.longest, now
        record.save()
    return True


def _do(duty: Duty, holder: str) -> None:
    """Run a claimed duty and write how it ended; one that failed is due again soon."""
    began = clock.now()
    try:
        sentence, succeeded = duty.run(), True
    except Refusal as refusal:
        sentence, succeeded = refusal.sentence, False
        _logger.warning("duty.refused", extra={"duty": duty.name, "code": refusal.code})
    except Exception as error:
        # The text of an unforeseen error may hold anything; its kind is enough to find it by.
        sentence, succeeded = f"It failed ({type(error).__name__}).", False
        _logger.exception("duty.failed", extra={"duty": duty.name})
    ended = clock.now()
    program_metrics.saw_duty(duty.name, succeeded=succeeded, seconds=(ended - began).total_seconds())
    pause = duty.every if succeeded else min(duty.every, RETRY)
    DutyRecord.objects.filter(name=duty.name, holder=holder).update(
        due_at=began + pause, holder="", held_until=None, ended_at=ended, succeeded=succeeded, sentence=sentence
    )
