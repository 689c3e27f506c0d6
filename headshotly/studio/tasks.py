"""The work a background worker does: one shoot, step by step, each step once.

The task may be run again at any moment: after a crash, or beside a worker that was only slow. What is finished is
found and skipped, and the unique row of each step decides between two who made it.
"""

import datetime as dt
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.tasks import task

from headshotly.access.warrants import worker_warrant
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import clock, configuration, tracing
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal
from headshotly.purposes import services as purposes
from headshotly.purposes.texts import HEADSHOT_GENERATION
from headshotly.studio import decoding, entitlement, marking, signatory, states
from headshotly.studio.engine import Engine, PortraitEngine
from headshotly.studio.errors import TooSmallForStyle
from headshotly.studio.faces import Picture
from headshotly.studio.generative import CANDIDATES, GenerativeEngine
from headshotly.studio.models import Headshot, Photo, Shoot, ShootState
from headshotly.studio.painter import Painter
from headshotly.studio.styles import style
from headshotly.vault import selectors as vault_selectors
from headshotly.vault import services as vault
from headshotly.vault.errors import ObjectMissing
from headshotly.vault.warrant import Warrant

WARRANT_VALID = dt.timedelta(minutes=10)
_BROKEN_SENTENCE = "Something broke on our side while making these headshots. You are not charged for it."
_ATTEMPTS_SENTENCE = "Making these headshots failed several times, so we stopped. You are not charged for it."
_LEFT_OUT = "Some photos are too small for a style, so it was left out and not charged."
_SERVER_FAULT = 500  # HTTP: from here on the server is at fault, not what was asked


# Set when this process is asked to end: every step looks at it, so that ending takes one step and not one shoot.
interruption = threading.Event()


class Interrupted(Exception):
    """The process ends before the shoot does; whoever takes the shoot next goes on where this one stopped."""


class _Stopped(Exception):
    """The shoot was cancelled, its owner left, or another run took it over; there is nothing more to do here."""


class _PhotoGone(Exception):
    """The photo was deleted while a headshot was made of it; the other photos go on."""


@cache
def engine() -> Engine:
    """Return the process's engine; its models stay loaded between shoots.

    Option ``studio.engine`` is ``portrait`` or ``diffusion``; the latter needs ``diffusion.weights``, a folder, and
    takes ``diffusion.python``, ``diffusion.device``, ``diffusion.precision`` and ``diffusion.candidates``.
    """
    here = configuration.current()
    if here.options.get("studio.engine", "portrait") != "diffusion":
        return PortraitEngine(here.models_folder)
    program = here.options.get("diffusion.python", sys.executable)
    painter = Painter(
        [program, "-P", "-m", "headshotly.studio.painting"],
        Path(here.options["diffusion.weights"]),
        device=here.options.get("diffusion.device", "cuda"),
        precision=here.options.get("diffusion.precision", "bfloat16"),
    )
    # Likeness is not measured here: the consent that people gave says that nobody is recognised (ADR 103).
    candidates = int(here.options.get("diffusion.candidates", CANDIDATES))
    return GenerativeEngine(painter, here.models_folder, candidates=candidates)


@task
@permission("service:worker")
@enforces("1.1.d", "5.3.a")
def run_shoot(shoot_id: str) -> None:
    """Make every headshot of a shoot that is not made yet.

    Args:
        shoot_id: the shoot's id; a task's arguments hold nothing personal.

    Raises:
        Refusal: something failed that may pass, such as a full disk; the shoot is marked failed with its sentence.
        Interrupted: this process was asked to end; the shoot stays as it is, to be run again.
        OperationalError: the database went away; the shoot stays as it is, to be run again.
    """
    shoot = _begin(UUID(shoot_id))
    if shoot is None:
        return
    actor = Actor(kind="worker", id=shoot.id, role="studio")
    try:
        left_out = [sentence for photo_id in shoot.photo_ids for sentence in _make_photo(shoot, UUID(photo_id), actor)]
        _finish(shoot, actor, left_out)
    except _Stopped:
        return
    except Refusal as refusal:
        fail(shoot.id, refusal.sentence, runner=shoot.runner)
        if refusal.status >= _SERVER_FAULT:
            raise
    except (Interrupted, OperationalError, InterfaceError):
        raise
    except Exception:
        # Nobody may wait for ever for a shoot that died of a mistake of ours; the traceback goes to the log.
        fail(shoot.id, _BROKEN_SENTENCE, runner=shoot.runner)
        raise


def _begin(shoot_id: UUID) -> Shoot | None:
    """Return the shoot if it still wants work: a fresh one, or one whose worker died. It is ours from here on."""
    now = clock.now()
    with transaction.atomic():
        fresh = Shoot.objects.filter(id=shoot_id, state=ShootState.QUEUED).update(
            state=ShootState.RUNNING, started_at=now, step="starting"
        )
        Shoot.objects.filter(id=shoot_id, state=ShootState.RUNNING).update(runner=uuid4())
        shoot = Shoot.objects.filter(id=shoot_id, state=ShootState.RUNNING).first()
        if shoot is not None and fresh:
            audit.record(
                actor=Actor(kind="worker", id=shoot.id, role="studio"),
                act=Act.SHOOT_STARTED,
                subject=shoot.subject,
                purpose=HEADSHOT_GENERATION,
            )
    return shoot


def _ours(shoot: Shoot) -> Any:
    """Return the shoot's row while it runs and this run may write to it, as a query."""
    return Shoot.objects.filter(id=shoot.id, state=ShootState.RUNNING, runner=shoot.runner)


def _require_wanted(shoot: Shoot) -> None:
    """Go on only while the shoot runs and its owner agrees (clause 1.1.d: after revocation no job runs)."""
    if interruption.is_set():
        raise Interrupted
    if not _ours(shoot).exists():
        raise _Stopped
    purposes.require_consent(subject=shoot.subject, activity=HEADSHOT_GENERATION)


def _tell(shoot: Shoot, sentence: str) -> None:
    """Show a step; finished ones are counted from what exists, so that a repetition doubles nothing."""
    made = Headshot.objects.filter(shoot=shoot)
    prepared = made.values("photo_id").distinct().count()
    _ours(shoot).update(step=sentence, steps_done=min(shoot.steps_total, made.count() + prepared))


@tracing.traced("job.photo")
def _make_photo(shoot: Shoot, photo_id: UUID, actor: Actor) -> list[str]:
    """Make a photo's headshots that are missing; return why some cannot be made, which costs nothing (ADR 104)."""
    finished = set(Headshot.objects.filter(shoot=shoot, photo_id=photo_id).values_list("style_id", flat=True))
    missing = [style_id for style_id in shoot.style_ids if style_id not in finished]
    photo = Photo.objects.filter(id=photo_id, subject=shoot.subject).first()
    if not missing or photo is None:  # a photo deleted in the meantime is skipped
        return []
    _require_wanted(shoot)
    number = shoot.photo_ids.index(str(photo_id)) + 1
    where = f"photo {number} of {len(shoot.photo_ids)}"
    _tell(shoot, f"{where}: opening")
    warrant = worker_warrant(subject=shoot.subject, job_id=shoot.id, purpose="generate", valid_for=WARRANT_VALID)
    picture = _opened(photo, warrant)
    if picture is None:
        return []
    prepared = engine().prepare(
        picture,
        others=_others(shoot, photo, engine().photos_used - 1),
        progress=lambda step: _tell(shoot, f"{where}: {step}"),
    )
    left_out = []
    for style_id in missing:
        _require_wanted(shoot)
        step = f"{where}: {style(style_id).title}"
        _tell(shoot, step)
        try:
            _make_headshot(shoot, photo, style_id, prepared, actor)
        except TooSmallForStyle as refusal:
            left_out.append(f"{step}: {refusal.sentence}")
        _tell(shoot, step)
    return left_out


def _others(shoot: Shoot, photo: Photo, count: int) -> list[Picture]:
    """Return up to so many of the shoot's other photos, the best first, each opened under a warrant of its own."""
    if count < 1:
        return []
    kept = Photo.objects.filter(id__in=shoot.photo_ids, subject=shoot.subject).exclude(id=photo.id)
    opened = []
    for other in kept.order_by("-score", "id")[:count]:
        warrant = worker_warrant(subject=shoot.subject, job_id=shoot.id, purpose="generate", valid_for=WARRANT_VALID)
        picture = _opened(other, warrant)
        if picture is not None:
            opened.append(picture)
    return opened


def _opened(photo: Photo, warrant: Warrant) -> Picture | None:
    """Return a photo's picture, or None where it is being deleted at this moment."""
    try:
        return decoding.decode_own(vault.open(object_id=photo.object_id, warrant=warrant))
    except ObjectMissing:
        if not vault_selectors.is_destroyed(photo.object_id):
            raise
        return None


def _make_headshot(shoot: Shoot, photo: Photo, style_id: str, prepared: Any, actor: Actor) -> None:
    result = engine().render(prepared, style(style_id, brand_colour=shoot.brand_colour))
    full = marking.encode(result.picture, signatory=signatory.current(), origin=result.origin)
    headshot, preview = _write(shoot, full, marking.encode_preview(result.picture, origin=result.origin))
    # A crash here, or before the commit below, leaves bytes that no row names; the vault's sweep removes them.
    try:
        with transaction.atomic():
            if not _ours(shoot).select_for_update().exists():
                raise _Stopped  # noqa: TRY301 - leaves the transaction and lands in the one place that cleans up
            if not Photo.objects.select_for_update().filter(id=photo.id).exists():
                raise _PhotoGone  # noqa: TRY301 - as above
            vault.enter(headshot, preview, actor=actor)
            Headshot.objects.create(
                subject=shoot.subject,
                shoot=shoot,
                photo_id=photo.id,
                style_id=style_id,
                object_id=headshot.object_id,
                preview_id=preview.object_id,
                notes=list(result.notes),
                made_at=clock.now(),
            )
            audit.record(
                actor=actor,
                act=Act.HEADSHOT_MADE,
                subject=shoot.subject,
                purpose=HEADSHOT_GENERATION,
                object_ids=[headshot.object_id],
            )
    except (IntegrityError, _Stopped, _PhotoGone) as error:
        # Another worker was faster, or nobody wants it any more: ours is thrown away.
        vault.discard(headshot, preview)
        if isinstance(error, _Stopped):
            raise


def _write(shoot: Shoot, full: bytes, preview: bytes) -> tuple[vault.Written, vault.Written]:
    """Seal both before the transaction that names them: nobody who writes waits for these bytes to reach the disk."""
    subject, purpose = shoot.subject, HEADSHOT_GENERATION
    return (
        vault.write_sealed(subject=subject, kind="headshot", purpose=purpose, plaintext=full),
        vault.write_sealed(subject=subject, kind="preview", purpose=purpose, plaintext=preview),
    )


def _finish(shoot: Shoot, actor: Actor, left_out: list[str]) -> None:
    # One a line: the page shows them so.
    sentence = "\n".join([_LEFT_OUT, *left_out]) if left_out else ""
    with transaction.atomic():
        changed = _ours(shoot).update(
            state=ShootState.DONE, steps_done=shoot.steps_total, step="", sentence=sentence, finished_at=clock.now()
        )
        if changed:
            settle(shoot.id, failed=False)
            audit.record(actor=actor, act=Act.SHOOT_FINISHED, subject=shoot.subject, purpose=HEADSHOT_GENERATION)


def settle(shoot_id: UUID, *, failed: bool) -> None:
    """Tell how a shoot ended, in the transaction that ends it: what exists, and whether the rest is our fault."""
    made = Headshot.objects.filter(shoot_id=shoot_id).values_list("photo_id", "style_id")
    entitlement.ended(shoot_id, failed=failed, made={entitlement.piece(photo, style_id) for photo, style_id in made})


def fail(shoot_id: UUID, sentence: str, *, runner: UUID | None = None) -> None:
    """Mark a shoot as failed, in plain words; one that is over, or that another run has taken over, stays as it is."""
    with transaction.atomic():
        open_one = Shoot.objects.filter(id=shoot_id, state__in=states.before(ShootState.FAILED))
        changed = (open_one.filter(runner=runner) if runner else open_one).update(
            state=ShootState.FAILED, sentence=sentence, step="", finished_at=clock.now()
        )
        shoot = Shoot.objects.filter(id=shoot_id).first()
        if changed and shoot is not None:
            settle(shoot.id, failed=True)
            audit.record(
                actor=Actor(kind="worker", id=shoot.id, role="studio"),
                act=Act.SHOOT_FAILED,
                subject=shoot.subject,
                purpose=HEADSHOT_GENERATION,
                outcome=Outcome.FAILED,
            )


def give_up(shoot_id: str) -> None:
    """End a shoot whose task crashed its worker too often."""
    fail(UUID(shoot_id), _ATTEMPTS_SENTENCE)
