"""The studio's verbs: photos in, shoots started, headshots out, everything gone."""

import contextlib
import datetime as dt
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Q

from headshotly.accounts import services as accounts
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.purposes import services as purposes
from headshotly.purposes.texts import HEADSHOT_GENERATION
from headshotly.studio import decoding, entitlement, gate, leaving, selectors, states, tasks
from headshotly.studio.errors import LimitReached, NotFound, NotNow
from headshotly.studio.faces import Picture
from headshotly.studio.models import Headshot, KeptReceipt, Photo, Shoot, ShootState
from headshotly.studio.styles import style
from headshotly.vault import selectors as vault_selectors
from headshotly.vault import services as vault
from headshotly.vault.receipt import Receipt

PHOTOS_KEPT_MAX = 40
OPEN_SHOOTS_MAX = 3
_SWEPT_AT_ONCE = 400
_STOPPED = "You stopped this. What was not made yet is not charged."


@dataclass(frozen=True, slots=True)
class Received:
    """What became of an uploaded file.

    Attributes:
        verdict: the gate's words.
        photo: the kept photo, or None where it was refused; a refused photo is not kept at all.
        seen: a small JPEG that shows which part of the photo the gate looked at; never kept.
    """

    verdict: gate.Verdict
    photo: Photo | None
    seen: bytes


@enforces("1.1.d", "3.2.a")
def receive_photo(*, actor: Actor, subject: UUID, data: bytes, photo_id: UUID | None = None) -> Received:
    """Judge an uploaded file and keep it sealed if it will do.

    Args:
        actor: who uploads.
        subject: whose photo it will be.
        data: the file as uploaded; it lives in memory only.
        photo_id: under which it is kept, once, where the same file may be sent again; a new one by default.

    Raises:
        ConsentMissing: the subject did not agree.
        LimitReached: too many photos are kept already.
        PhotoUnreadable: not a picture, or a broken one.
        PhotoTooLarge: too many bytes or pixels.
        StoreFull: there is no room; nothing is kept.
    """
    purposes.require_consent(subject=subject, activity=HEADSHOT_GENERATION)
    if Photo.objects.filter(subject=subject).count() >= PHOTOS_KEPT_MAX:
        raise LimitReached(f"You keep {PHOTOS_KEPT_MAX} photos already. Please delete some first.")
    here = configuration.current()
    picture = decoding.decode(
        data,
        pixels_max=here.photo_pixels_max,
        bytes_max=here.photo_bytes_max,
        at_once=here.decoders_max,
        filter_required=here.environment in {"staging", "production"},
    )
    verdict = gate.judge(picture, here.models_folder)
    seen = decoding.encode_preview(gate.draw(picture, verdict), side=360)
    if not verdict.accepted:
        audit.record(
            actor=actor,
            act=Act.PHOTO_REFUSED,
            subject=subject,
            purpose=verdict.findings[0].code,
            outcome=Outcome.REFUSED,
        )
        return Received(verdict, None, seen)
    wanted = photo_id or uuid4()
    try:
        photo = _keep(actor, subject, picture, verdict, wanted)
    except IntegrityError:
        # The same file was kept meanwhile by a request beside this one; what this one sealed is swept.
        found = selectors.photo_of(subject, wanted)
        if found is None:
            raise
        photo = found
    return Received(verdict, photo, seen)


def _keep(actor: Actor, subject: UUID, picture: Picture, verdict: gate.Verdict, photo_id: UUID) -> Photo:
    purpose = HEADSHOT_GENERATION
    # Before the transaction: whoever else writes does not wait for these bytes to reach the disk. A crash from here to
    # the commit leaves bytes that no row names, which the vault sweeps.
    master = vault.write_sealed(
        subject=subject, kind="photo", purpose=purpose, plaintext=decoding.encode_master(picture)
    )
    preview = vault.write_sealed(
        subject=subject, kind="preview", purpose=purpose, plaintext=decoding.encode_preview(picture)
    )
    with transaction.atomic():
        vault.enter(master, preview, actor=actor)
        photo = Photo.objects.create(
            id=photo_id,
            subject=subject,
            object_id=master.object_id,
            preview_id=preview.object_id,
            sentence=verdict.sentence,
            advice=verdict.advice,
            score=verdict.score,
            crop=gate.placed(picture, verdict.crop),
            received_at=clock.now(),
        )
        audit.record(
            actor=actor,
            act=Act.PHOTO_RECEIVED,
            subject=subject,
            purpose=HEADSHOT_GENERATION,
            object_ids=[master.object_id],
        )
    return photo


def photo_of(subject: UUID, photo_id: UUID) -> Photo:
    """Return a subject's photo.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    found = selectors.photo_of(subject, photo_id)
    if found is None:
        raise NotFound("There is no such photo.")
    return found


def shoot_of(subject: UUID, shoot_id: UUID) -> Shoot:
    """Return a subject's shoot; raises ``NotFound`` as ``photo_of`` does."""
    shoot = selectors.shoot_of(subject, shoot_id)
    if shoot is None:
        raise NotFound("There is no such shoot.")
    return shoot


def headshot_of(subject: UUID, headshot_id: UUID) -> Headshot:
    """Return a subject's headshot; raises ``NotFound`` as ``photo_of`` does."""
    headshot = selectors.headshot_of(subject, headshot_id)
    if headshot is None:
        raise NotFound("There is no such headshot.")
    return headshot


@enforces("1.1.d")
def start_shoot(
    *, actor: Actor, subject: UUID, photo_ids: Sequence[UUID], style_ids: Sequence[str], brand_colour: str = ""
) -> Shoot:
    """Queue the making of headshots: every photo in every style.

    Raises:
        ConsentMissing: the subject did not agree.
        NotNow: no photo or no style is chosen.
        LimitReached: too many photos, or too many shoots are waiting.
        NotFound: a photo is not there.
        StyleUnknown: a style is not there, or the colour is none.
    """
    purposes.require_consent(subject=subject, activity=HEADSHOT_GENERATION)
    photos = [photo_of(subject, photo_id) for photo_id in dict.fromkeys(photo_ids)]
    styles = [style(style_id, brand_colour=brand_colour) for style_id in dict.fromkeys(style_ids)]
    if not photos or not styles:
        raise NotNow("Please choose at least one photo and one style.")
    most = configuration.current().photos_per_shoot_max
    if len(photos) > most:
        raise LimitReached(f"Please choose at most {most} photos at a time.")
    with transaction.atomic():
        if Shoot.objects.filter(subject=subject, state__in=states.OPEN).count() >= OPEN_SHOOTS_MAX:
            raise LimitReached("Some of your headshots are still being made. Please wait until they are ready.")
        shoot = Shoot.objects.create(
            subject=subject,
            photo_ids=[str(photo.id) for photo in photos],
            style_ids=[chosen.id for chosen in styles],
            brand_colour=brand_colour,
            steps_total=len(photos) * (len(styles) + 1),
            step="waiting for a free place",
            created_at=clock.now(),
        )
        pieces = [entitlement.piece(photo.id, chosen.id) for photo in photos for chosen in styles]
        entitlement.require(subject, shoot.id, pieces)
        vault.require_living(subject)
        audit.record(actor=actor, act=Act.SHOOT_QUEUED, subject=subject, purpose=HEADSHOT_GENERATION)
        # The task's row is in this transaction: the shoot and its work exist together or not at all.
        tasks.run_shoot.enqueue(shoot_id=str(shoot.id))
    return shoot


@enforces("1.1.d")
def redo_style(*, actor: Actor, subject: UUID, shoot_id: UUID, style_id: str, brand_colour: str = "") -> Shoot:
    """Make one style of a finished shoot again, or one it did not have; the other styles stay as they are.

    A headshot whose photo is deleted stays too, for it could not be made again. A crash between the deletions leaves
    a finished shoot without some pictures of that style; asking again goes on.

    Raises:
        ConsentMissing: the subject did not agree.
        NotFound: there is no such shoot.
        NotNow: the shoot is not finished, or none of its photos is left.
        StyleUnknown: the style is not there, or the colour is none.
    """
    purposes.require_consent(subject=subject, activity=HEADSHOT_GENERATION)
    shoot = shoot_of(subject, shoot_id)
    colour = brand_colour or shoot.brand_colour
    chosen = style(style_id, brand_colour=colour)
    kept = list(Photo.objects.filter(id__in=shoot.photo_ids, subject=subject).values_list("id", flat=True))
    if shoot.state not in states.before(ShootState.QUEUED) or not kept:
        raise NotNow("A style can be made again once this shoot is ready, while its photos are here.")
    for old in Headshot.objects.filter(shoot=shoot, style_id=chosen.id, photo_id__in=kept):
        with contextlib.suppress(NotFound):  # deleted by its owner at this moment
            delete_headshot(actor=actor, subject=subject, headshot_id=old.id)
    styles = list(dict.fromkeys([*shoot.style_ids, chosen.id]))
    with transaction.atomic():
        changed = Shoot.objects.filter(id=shoot.id, state__in=states.before(ShootState.QUEUED)).update(
            state=ShootState.QUEUED,
            style_ids=styles,
            brand_colour=colour,
            steps_total=len(shoot.photo_ids) * (len(styles) + 1),
            step="waiting for a free place",
            sentence="",
            finished_at=None,
        )
        if not changed:
            raise NotNow("This shoot is being made already.")
        entitlement.require(subject, shoot.id, [entitlement.piece(photo_id, chosen.id) for photo_id in kept])
        vault.require_living(subject)
        audit.record(actor=actor, act=Act.SHOOT_QUEUED, subject=subject, purpose=HEADSHOT_GENERATION)
        tasks.run_shoot.enqueue(shoot_id=str(shoot.id))
    shoot.refresh_from_db()
    return shoot


def cancel(*, actor: Actor, subject: UUID, shoot_id: UUID) -> None:
    """Stop a shoot; what is finished stays, the step being made is thrown away.

    Raises:
        NotNow: it is over already.
    """
    shoot = shoot_of(subject, shoot_id)
    with transaction.atomic():
        changed = Shoot.objects.filter(id=shoot.id, state__in=states.before(ShootState.CANCELLED)).update(
            state=ShootState.CANCELLED, finished_at=clock.now(), step="", sentence=_STOPPED
        )
        if not changed:
            raise NotNow("This shoot is over already.")
        tasks.settle(shoot.id, failed=False)
        audit.record(actor=actor, act=Act.SHOOT_CANCELLED, subject=subject, purpose=HEADSHOT_GENERATION)


@enforces("1.1.d")
def stop_work(actor: Actor, subject: UUID, activity: str) -> None:
    """End every waiting or running shoot of somebody who said no; the front door hands this to ``purposes``.

    A worker in the middle of a step finds its shoot cancelled before it writes, and throws that step away.
    """
    if activity != HEADSHOT_GENERATION:
        return
    with transaction.atomic():
        for shoot in Shoot.objects.select_for_update().filter(subject=subject, state__in=states.OPEN):
            shoot.state, shoot.finished_at, shoot.step = ShootState.CANCELLED, clock.now(), ""
            shoot.sentence = "Stopped, because you took your consent back or stopped this processing."
            shoot.save(update_fields=["state", "finished_at", "step", "sentence"])
            tasks.settle(shoot.id, failed=False)
            audit.record(actor=actor, act=Act.SHOOT_CANCELLED, subject=subject, purpose=HEADSHOT_GENERATION)


def toggle_favourite(*, subject: UUID, headshot_id: UUID) -> bool:
    """Mark or unmark a headshot; return whether it is marked now."""
    headshot = headshot_of(subject, headshot_id)
    marked = not headshot.favourite
    if not Headshot.objects.filter(id=headshot.id).update(favourite=marked):
        raise NotFound("There is no such headshot.")
    return marked


def delete_photo(*, actor: Actor, subject: UUID, photo_id: UUID) -> None:
    """Delete a photo for good; headshots made of it stay. Raises ``NotFound`` as ``photo_of`` does.

    Two at once both find it gone, and one of them says so. A crash leaves a row whose picture is destroyed, which
    ``finish_deletions`` removes.
    """
    photo = photo_of(subject, photo_id)
    vault.destroy(actor=actor, object_id=photo.object_id)
    vault.destroy(actor=actor, object_id=photo.preview_id)
    with transaction.atomic():
        if Photo.objects.filter(id=photo.id).delete()[0]:
            audit.record(
                actor=actor, act=Act.PHOTO_DELETED, subject=subject, object_ids=[photo.object_id, photo.preview_id]
            )


def delete_photo_and_results(*, actor: Actor, subject: UUID, photo_id: UUID) -> int:
    """Delete a photo with every headshot made of it; return how many pictures went. Raises as ``photo_of``.

    The headshots first, so that whoever has to ask again still can. A worker names none without the photo's row, so
    that the second round finds the last one that was being made.
    """
    photo_of(subject, photo_id)
    gone = _delete_results(actor, subject, photo_id)
    delete_photo(actor=actor, subject=subject, photo_id=photo_id)
    return gone + 1 + _delete_results(actor, subject, photo_id)


def _delete_results(actor: Actor, subject: UUID, photo_id: UUID) -> int:
    made = list(Headshot.objects.filter(subject=subject, photo_id=photo_id).values_list("id", flat=True))
    for headshot_id in made:
        with contextlib.suppress(NotFound):  # gone meanwhile
            delete_headshot(actor=actor, subject=subject, headshot_id=headshot_id)
    return len(made)


def delete_headshot(*, actor: Actor, subject: UUID, headshot_id: UUID) -> None:
    """Delete a headshot for good, as ``delete_photo`` does."""
    headshot = headshot_of(subject, headshot_id)
    vault.destroy(actor=actor, object_id=headshot.object_id)
    vault.destroy(actor=actor, object_id=headshot.preview_id)
    with transaction.atomic():
        if Headshot.objects.filter(id=headshot.id).delete()[0]:
            audit.record(
                actor=actor,
                act=Act.HEADSHOT_DELETED,
                subject=subject,
                object_ids=[headshot.object_id, headshot.preview_id],
            )


@enforces("1.2.c")
def delete_again(*, actor: Actor, object_ids: Collection[UUID]) -> int:
    """Delete the photos and headshots of some sealed objects, which were deleted before and came back with a backup.

    Returns:
        How many there were.
    """
    found = 0
    for batch in itertools.batched(object_ids, _SWEPT_AT_ONCE):
        of_them = Q(object_id__in=batch) | Q(preview_id__in=batch)
        for subject, photo_id in list(Photo.objects.filter(of_them).values_list("subject", "id")):
            delete_photo(actor=actor, subject=subject, photo_id=photo_id)
            found += 1
        for subject, headshot_id in list(Headshot.objects.filter(of_them).values_list("subject", "id")):
            delete_headshot(actor=actor, subject=subject, headshot_id=headshot_id)
            found += 1
    return found


@enforces("1.2.c")
def delete_everything(*, actor: Actor, subject: UUID) -> KeptReceipt:
    """Delete a customer: work stopped, key shredded, bytes gone, rows gone, receipt signed.

    A crash anywhere leaves the account's row until the end, so that the customer, or a sweep over the erasure
    ledger, can call this again; what is done already is found done.

    Raises:
        ErasureIncomplete: a store still holds something; calling again goes on.
    """
    Shoot.objects.filter(subject=subject, state__in=states.OPEN).update(
        state=ShootState.CANCELLED, finished_at=clock.now()
    )
    receipt: Receipt = vault.shred(actor=actor, subject=subject, kept=leaving.kept_by_law(subject))
    with transaction.atomic():
        _remove_rows(subject)
        accounts.delete_account(actor=actor, subject=subject)
        return KeptReceipt.objects.create(document=receipt, made_at=clock.now())


def _remove_rows(subject: UUID) -> None:
    leaving.erase_above(subject)
    Headshot.objects.filter(subject=subject).delete()
    Shoot.objects.filter(subject=subject).delete()
    Photo.objects.filter(subject=subject).delete()
    purposes.erase_consents(subject=subject)


@enforces("1.2.c")
def finish_deletions(*, actor: Actor) -> int:
    """Finish what is left of deletions, whatever cut them short: rows of destroyed pictures, rows of the erased.

    A picture whose bytes are lost, and whose destruction nobody ordered, keeps its row: it comes back from a backup.

    Returns:
        How many pictures and customers something was left of.

    Raises:
        ErasureIncomplete: a store still holds something; calling again goes on.
        StoreUnavailable: a store failed; calling again goes on.
    """
    finished = 0
    for subject, photo_id in selectors.without_picture(Photo):
        with contextlib.suppress(NotFound):
            delete_photo(actor=actor, subject=subject, photo_id=photo_id)
            finished += 1
    for subject, headshot_id in selectors.without_picture(Headshot):
        with contextlib.suppress(NotFound):
            delete_headshot(actor=actor, subject=subject, headshot_id=headshot_id)
            finished += 1
    for subject in selectors.left_of_the_erased():
        vault.shred(actor=actor, subject=subject, kept=leaving.kept_by_law(subject))
        with transaction.atomic():
            _remove_rows(subject)
        finished += 1
    return finished


def sweep_unnamed(*, older_than: dt.datetime) -> int:
    """Remove sealed pictures that no photo or headshot names, whatever left them.

    A picture and what names it are committed together; earlier releases, and a restored backup, may hold such.

    Args:
        older_than: only what was sealed before this moment; younger ones may be about to be named.

    Returns:
        How many were removed.
    """
    removed = 0
    sealed = vault_selectors.object_ids(kinds=("photo", "headshot", "preview"), sealed_before=older_than)
    for batch in itertools.batched(sealed, _SWEPT_AT_ONCE):
        for object_id in selectors.unnamed_among(batch):
            vault.destroy(actor=SYSTEM, object_id=object_id)
            removed += 1
    return removed


def forget_receipts(*, before: dt.datetime) -> int:
    """Remove deletion receipts made before a moment; whoever wants theirs has fetched it by then."""
    return KeptReceipt.objects.filter(made_at__lt=before).delete()[0]
