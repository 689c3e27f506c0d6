"""Deleting: everything at once, everything after time to think, or parts."""

import contextlib
import datetime as dt
import logging
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from headshotly.accounts import selectors as accounts
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.rights import services
from headshotly.rights.errors import Incomplete, NotFound, NotNow
from headshotly.rights.models import ErasurePlan, RightsRequest
from headshotly.rights.states import LIVE, Channel, Kind, Regime
from headshotly.studio import selectors as studio_contents
from headshotly.studio import services as studio
from headshotly.studio.errors import NotFound as AlreadyGone
from headshotly.vault import selectors as vault_contents

GRACE_DAYS = (7, 14, 30)  # offered to whoever wants time to think; nobody has to take it
PARTS = ("photos", "headshots")
ASKED, UNUSED = "asked", "unused"
_log = logging.getLogger(__name__)


def _request(actor: Actor, subject: UUID) -> RightsRequest:
    """Return the open request to delete of a customer, made where there is none."""
    found = RightsRequest.objects.filter(subject=subject, kind=Kind.DELETE, state__in=LIVE).first()
    if found is not None:
        return found
    received = services.receive(
        actor=actor,
        kind=Kind.DELETE,
        regime=Regime.EITHER,
        channel=Channel.ACCOUNT,
        words=services.Words(),
        subject=subject,
    )
    return received.request


@enforces("1.2.c")
def erase_everything(*, actor: Actor, subject: UUID) -> UUID:
    """Delete a customer now and answer the request.

    A crash in the middle leaves the request open; ``finish_interrupted`` goes on and answers it.

    Returns:
        The id under which the receipt is kept.

    Raises:
        ErasureIncomplete: a store still holds something; calling again goes on.
        StoreUnavailable: a store failed; calling again goes on.
    """
    request = _request(actor, subject)
    kept = studio.delete_everything(actor=actor, subject=subject)
    services.answer(actor=actor, request_id=request.id, reply="")
    return kept.id


@enforces("1.2.c")
def erase_parts(*, actor: Actor, subject: UUID, parts: list[str]) -> int:
    """Delete all photos, all headshots, or both; the account stays.

    A crash in between leaves the request open and some pictures deleted; asking again goes on.

    Returns:
        How many pictures are gone.

    Raises:
        Incomplete: no part, or an unknown one, is named.
    """
    if not parts or set(parts) - set(PARTS):
        raise Incomplete("Please choose what to delete.")
    received = services.receive(
        actor=actor,
        kind=Kind.DELETE,
        regime=Regime.EITHER,
        channel=Channel.ACCOUNT,
        words=services.Words(text=", ".join(parts)),
        subject=subject,
    )
    gone = 0
    if "headshots" in parts:
        for made in studio_contents.all_headshots_of(subject):
            with contextlib.suppress(AlreadyGone):  # deleted at the same moment, in another window or by its time limit
                studio.delete_headshot(actor=actor, subject=subject, headshot_id=made.id)
                gone += 1
    if "photos" in parts:
        for photo in studio_contents.photos_of(subject):
            with contextlib.suppress(AlreadyGone):
                studio.delete_photo(actor=actor, subject=subject, photo_id=photo.id)
                gone += 1
    services.answer(
        actor=actor, request_id=received.request.id, reply=_("Pictures deleted for good: %(count)s.") % {"count": gone}
    )
    return gone


def plan(*, actor: Actor, subject: UUID, days: int) -> ErasurePlan:
    """Plan a customer's erasure, with time to think; it can be called off until then.

    Raises:
        Incomplete: the time is none of those offered.
        NotNow: an erasure is planned already.
    """
    if days not in GRACE_DAYS:
        raise Incomplete("Please choose one of the times on the list.")
    return _plan(actor=actor, subject=subject, due_at=clock.now() + dt.timedelta(days=days), because=ASKED)


def plan_unused(*, subject: UUID, notice: dt.timedelta) -> ErasurePlan:
    """Plan the erasure of an unused account, after the time of notice its owner was given. Raises as ``plan``."""
    return _plan(actor=SYSTEM, subject=subject, due_at=clock.now() + notice, because=UNUSED)


def _plan(*, actor: Actor, subject: UUID, due_at: dt.datetime, because: str) -> ErasurePlan:
    if ErasurePlan.objects.filter(subject=subject).exists():
        raise NotNow("Deleting everything is planned already.")
    request = _request(actor, subject) if because == ASKED else None
    with transaction.atomic():
        made = ErasurePlan.objects.create(
            subject=subject, request=request, planned_at=clock.now(), due_at=due_at, because=because
        )
        audit.record(actor=actor, act=Act.ERASURE_PLANNED, subject=subject, purpose=f"{because}: {due_at:%Y-%m-%d}")
    return made


def planned(subject: UUID) -> ErasurePlan | None:
    """Return the planned erasure of a customer, if there is one."""
    return ErasurePlan.objects.filter(subject=subject).first()


def cancel_plan(*, actor: Actor, subject: UUID) -> None:
    """Call a planned erasure off; the request is taken back with it.

    Raises:
        NotFound: nothing is planned.
    """
    with transaction.atomic():
        found = ErasurePlan.objects.select_for_update().filter(subject=subject).first()
        if found is None:
            raise NotFound("Nothing is planned any more.")
        if found.request is not None:
            services.withdraw(actor=actor, subject=subject, request_id=found.request.id)
        found.delete()
        audit.record(actor=actor, act=Act.ERASURE_CANCELLED, subject=subject)


def run_due() -> tuple[int, int]:
    """Delete everybody whose planned day has come; one that fails does not keep the others waiting.

    Returns:
        How many were deleted, and how many failed and are tried again next time.
    """
    done = failed = 0
    for due in ErasurePlan.objects.filter(due_at__lte=clock.now()).order_by("due_at"):
        try:
            erase_everything(actor=SYSTEM, subject=due.subject)
            done += 1
        except Refusal as refusal:
            _log.warning("planned-erasure.unfinished", extra={"code": refusal.code})
            failed += 1
    return done, failed


def finish_interrupted() -> int:
    """Go on with erasures that a crash broke off after the key was shredded, and answer their requests.

    Returns:
        How many were finished.
    """
    finished = 0
    open_ones = RightsRequest.objects.filter(kind=Kind.DELETE, state__in=LIVE, has_account=True)
    for request in open_ones:
        if vault_contents.is_readable(request.subject):
            continue
        if accounts.customer(request.subject) is not None:
            studio.delete_everything(actor=SYSTEM, subject=request.subject)
        services.answer(actor=SYSTEM, request_id=request.id, reply="")
        finished += 1
    return finished
