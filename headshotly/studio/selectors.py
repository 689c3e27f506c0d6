"""Reading the studio's state. Pictures are opened by ``vault.open`` under an owner's warrant."""

import datetime as dt
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet, UUIDField

from headshotly.accounts import selectors as accounts
from headshotly.policy.prepared import Prepared
from headshotly.policy.wording import told
from headshotly.studio.models import Headshot, KeptReceipt, Photo, Shoot, ShootState
from headshotly.vault import selectors as vault_selectors

_AT_ONCE = 1000


def _one_of[Row: (Photo, Shoot, Headshot)](model: type[Row]) -> Prepared[Row]:
    """Return the look-up of one of a subject's own by its id."""
    return Prepared(
        lambda one, subject: model.objects.filter(id=one, subject=subject), one=UUIDField(), subject=UUIDField()
    )


def _in_order(shoot_id: UUID) -> QuerySet[Headshot]:
    return Headshot.objects.filter(shoot_id=shoot_id).order_by("made_at")


_PHOTO, _SHOOT, _HEADSHOT = _one_of(Photo), _one_of(Shoot), _one_of(Headshot)
_GALLERY = Prepared(_in_order, shoot_id=UUIDField())


def photo_of(subject: UUID, photo_id: UUID) -> Photo | None:
    """Return a subject's photo; None where there is none or it is somebody else's."""
    return _PHOTO.one(one=photo_id, subject=subject)


def shoot_of(subject: UUID, shoot_id: UUID) -> Shoot | None:
    """Return a subject's shoot; None as ``photo_of`` does."""
    return _SHOOT.one(one=shoot_id, subject=subject)


def headshot_of(subject: UUID, headshot_id: UUID) -> Headshot | None:
    """Return a subject's headshot; None as ``photo_of`` does."""
    return _HEADSHOT.one(one=headshot_id, subject=subject)


def gallery_of(shoot: Shoot) -> list[Headshot]:
    """Return what a shoot's page shows: its headshots, in the order they were made."""
    return _GALLERY.all(shoot_id=shoot.id)


def photos_of(subject: UUID) -> QuerySet[Photo]:
    """Return a subject's photos, newest first."""
    return Photo.objects.filter(subject=subject).order_by("-received_at")


def photos_received_before(moment: dt.datetime) -> QuerySet[Photo]:
    """Return every photo received before a moment, of anybody; the sweeper decides whose time is over."""
    return Photo.objects.filter(received_at__lt=moment)


def headshots_made_before(moment: dt.datetime) -> QuerySet[Headshot]:
    """Return every headshot made before a moment, of anybody."""
    return Headshot.objects.filter(made_at__lt=moment)


def all_headshots_of(subject: UUID) -> QuerySet[Headshot]:
    """Return every headshot of a subject, in the order they were made."""
    return Headshot.objects.filter(subject=subject).order_by("made_at")


def shoots_of(subject: UUID) -> QuerySet[Shoot]:
    """Return a subject's shoots, newest first."""
    return Shoot.objects.filter(subject=subject).order_by("-created_at")


def shoot(shoot_id: UUID) -> Shoot | None:
    """Return a shoot, whosever it is; a page asks ``services.shoot_of`` instead."""
    return Shoot.objects.filter(id=shoot_id).first()


def failed_shoots(*, settled: Collection[UUID]) -> QuerySet[Shoot]:
    """Return the failed shoots that somebody may have paid for and that are not settled, oldest first.

    Args:
        settled: ids of the shoots whose money went back, or that cost none; the orders room knows them.
    """
    return Shoot.objects.filter(state=ShootState.FAILED).exclude(id__in=settled).order_by("finished_at")


def headshots_of(shoot: Shoot) -> QuerySet[Headshot]:
    """Return a shoot's headshots, in the order they were made."""
    return _in_order(shoot.id)


def progress(shoot: Shoot) -> dict[str, Any]:
    """Return what a progress bar shows: ``status``, ``done``, ``total``, ``percent``, ``sentence``."""
    state = ShootState(shoot.state)
    return {
        "status": state.value,
        "done": shoot.steps_done,
        "total": shoot.steps_total,
        "percent": 100 * shoot.steps_done // max(1, shoot.steps_total),
        "sentence": "\n".join(map(told, (shoot.sentence or shoot.step or str(state.label)).splitlines())),
        "open": state in {ShootState.QUEUED, ShootState.RUNNING},
    }


def receipt(receipt_id: UUID) -> KeptReceipt | None:
    """Return a kept deletion receipt."""
    return KeptReceipt.objects.filter(id=receipt_id).first()


def shoots_started() -> QuerySet[Shoot]:
    """Return every shoot that was ever begun, newest first, of anybody."""
    return Shoot.objects.filter(started_at__isnull=False).order_by("-started_at")


def counts_by_state() -> dict[str, int]:
    """Return how many shoots there are in each state."""
    rows = Shoot.objects.order_by().values_list("state").annotate(count=Count("id"))
    return {str(state): int(count) for state, count in rows}


def running_shoots() -> QuerySet[Shoot]:
    """Return the shoots being made now."""
    return Shoot.objects.filter(state=ShootState.RUNNING)


def unnamed_among(object_ids: Sequence[UUID]) -> list[UUID]:
    """Return which of some sealed objects no photo or headshot names, as picture or as preview.

    Args:
        object_ids: a few hundred; each is looked up by itself, however many pictures there are.
    """
    left = list(object_ids)
    for model, column in itertools.product((Photo, Headshot), ("object_id", "preview_id")):
        if left:  # objects come kind by kind, so that the first look mostly finds all
            named = set(model._default_manager.filter(**{f"{column}__in": left}).values_list(column, flat=True))
            left = [object_id for object_id in left if object_id not in named]
    return left


def without_picture(model: type[Photo] | type[Headshot]) -> Iterator[tuple[UUID, UUID]]:
    """Yield subject and id of each row whose picture or preview the vault no longer names: its deletion did not end.

    In bounded memory; no query stays open, so whoever takes them may remove them meanwhile.
    """
    rows = model._default_manager.order_by("id").values_list("id", "subject", "object_id", "preview_id")
    batch = list(rows[:_AT_ONCE])
    while batch:
        named = vault_selectors.kinds_of(one for row in batch for one in row[2:])
        yield from ((row[1], row[0]) for row in batch if not {row[2], row[3]} <= set(named))
        batch = list(rows.filter(id__gt=batch[-1][0])[:_AT_ONCE])


def left_of_the_erased() -> list[UUID]:
    """Return whoever was erased, has no account any more, and still has a photo, shoot or headshot."""
    found: set[UUID] = set()
    for some in itertools.batched(vault_selectors.erased(), _AT_ONCE):  # few beside those who stay
        for model in (Photo, Shoot, Headshot):
            rows = model._default_manager.filter(subject__in=some).order_by()
            found.update(rows.values_list("subject", flat=True).distinct())
    return sorted(subject for subject in found if accounts.customer(subject) is None)


def kinds_of(object_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return what sealed objects show, ``photo`` or ``headshot``; a preview shows what its picture shows.

    Args:
        object_ids: of the vault; ones that are no picture of ours are not in the answer.
    """
    found: dict[UUID, str] = {}
    for batch in itertools.batched(object_ids, 400):
        for model, kind in ((Photo, "photo"), (Headshot, "headshot")):
            for column in ("object_id", "preview_id"):
                rows = model._default_manager.filter(**{f"{column}__in": batch})
                found.update(dict.fromkeys(rows.values_list(column, flat=True), kind))
    return found
