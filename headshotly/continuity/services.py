"""The verbs of this room: back up, check, prune, mirror, restore parts of a living system."""

import hashlib
import socket
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction

from headshotly.access.models import StaffMember
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.continuity import backing_up, checking, drilling, mirroring, places, plan, pruning, restoring, rotation
from headshotly.continuity.errors import BackupIncomplete, PlanChanged
from headshotly.continuity.models import BackupRecord, BackupState, DrillRecord, MirrorRecord, PlanReview, StoreCheck
from headshotly.continuity.progress import Progress, silence
from headshotly.continuity.restoring import Restored, Wanted
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vault import selectors as vault_contents
from headshotly.vault import wiring as vault
from headshotly.vault.errors import KeyShredded


@enforces("6.1.a", "6.1.b")
def back_up(*, actor: Actor, progress: Progress = silence) -> BackupRecord:
    """Make a backup in every store, and bring the mirrors up to date.

    A crash leaves a record that says it is running; the next run on this machine writes that it was interrupted.

    Returns:
        The record, whose state says whether everything is in every store.

    Raises:
        Busy: another backup runs on this machine.
        PlacesRefused: there are not two stores in two regions of the Union.
        Refusal: no backup was made; the sentence says why, and the record and the journal too.
    """
    with backing_up.alone():
        _close_interrupted()
        record = BackupRecord.objects.create(id=uuid4(), began_at=clock.now(), machine=socket.gethostname()[:80])
        try:
            mirrored = mirror(thorough=True)
            outcome = backing_up.make(record.id, progress)
        except Refusal as refusal:
            _finish(record, BackupState.FAILED, refusal.sentence)
            audit.record(actor=actor, act=Act.BACKUP_FAILED, purpose=f"backup {record.id}", outcome=Outcome.FAILED)
            raise
        _keep(record, outcome, mirrored)
        audit.record(
            actor=actor,
            act=Act.BACKUP_MADE if outcome.held_by else Act.BACKUP_FAILED,
            purpose=f"backup {record.id}, manifest sha256:{record.manifest_sha256 or 'none'}",
            outcome=Outcome.DONE if record.state == BackupState.COMPLETE else Outcome.FAILED,
        )
    return record


def _close_interrupted() -> None:
    """Whoever holds the lock knows that nothing else of this machine is running."""
    BackupRecord.objects.filter(state=BackupState.RUNNING, machine=socket.gethostname()[:80]).update(
        state=BackupState.FAILED,
        ended_at=clock.now(),
        sentence="It was interrupted; what it had written is used again.",
    )


def _finish(record: BackupRecord, state: BackupState, sentence: str) -> None:
    record.state, record.sentence, record.ended_at = state, sentence, clock.now()
    record.save()


def _keep(record: BackupRecord, outcome: backing_up.Outcome, mirrored: list[mirroring.Mirrored]) -> None:
    """Write what a backup came to into its record."""
    if outcome.manifest is not None:
        manifest = outcome.manifest
        record.generation, record.snapshot_at = manifest.generation, manifest.moment
        record.object_count, record.object_bytes = manifest.objects, manifest.object_bytes
        record.database_bytes, record.manifest_sha256 = manifest.database_bytes, outcome.manifest_sha256
    record.held_by, record.written_bytes = outcome.held_by, outcome.written
    record.missing = len(outcome.missing) + len(outcome.only_here)
    failed = [f"{one.region}: {one.sentence}" for one in mirrored if one.sentence]
    said = [f"{region}: {why}" for region, why in outcome.lost.items()]
    if outcome.missing:
        said.append(f"{len(outcome.missing)} objects are named by the database and are nowhere.")
    if outcome.only_here:
        said.append(
            f"{len(outcome.only_here)} objects are missing or damaged in the object store and whole in the backup; "
            "run “headshotly restore --objects”."
        )
    if not outcome.held_by:
        state = BackupState.FAILED
    else:
        state = BackupState.COMPLETE if outcome.complete and not failed else BackupState.INCOMPLETE
    _finish(record, state, " ".join([*said, *failed, *outcome.warnings]))


def require_complete(record: BackupRecord) -> None:
    """Refuse a backup that is not whole everywhere, with its own sentence.

    Raises:
        BackupIncomplete: says what is not where.
    """
    if record.state != BackupState.COMPLETE:
        raise BackupIncomplete(record.sentence or "The backup did not end.")


@enforces("6.1.b")
def mirror(*, thorough: bool = False) -> list[mirroring.Mirrored]:
    """Bring every region's mirror of keys and erasures up to date.

    Returns:
        How each mirror stands; a region that failed says so.

    Raises:
        PlacesRefused: there are not two stores in two regions of the Union.
        KeyServiceUnavailable: the key service did not answer.
        StoreUnavailable: the key store did not answer.
    """
    found = mirroring.update(places.stores(), thorough=thorough)
    for one in found:
        values: dict[str, object] = {"sentence": one.sentence}
        if not one.failed:
            values |= {"mirrored_at": clock.now(), "keys": one.keys}
        MirrorRecord.objects.update_or_create(region=one.region, defaults=values)
    return found


def check(*, actor: Actor, share: int | None = None, progress: Progress = silence) -> checking.Check:
    """Look at every kept backup in every store, read a share or all of it, and heal; see ``checking.check``.

    Raises:
        Busy: a backup runs on this machine.
        Refusal: nothing could be checked.
    """
    with backing_up.alone():
        found = checking.check(progress, share=share)
        for one in found.stores:
            StoreCheck.objects.create(
                checked_at=clock.now(),
                region=one.region,
                blobs=one.blobs,
                read=one.read,
                damaged=one.damaged,
                healed=one.healed,
                sentence=" ".join([one.failed, *found.unusable]).strip(),
            )
        damaged, healed = sum(one.damaged for one in found.stores), sum(one.healed for one in found.stores)
        audit.record(
            actor=actor,
            act=Act.BACKUP_CHECKED,
            purpose=f"{damaged} damaged, {healed} healed",
            outcome=Outcome.DONE if found.whole else Outcome.FAILED,
        )
    return found


def prune(*, actor: Actor, progress: Progress = silence) -> pruning.Pruned:
    """Let old backups go; see ``pruning.prune``.

    Raises:
        Busy: a backup runs on this machine.
        Refusal: nothing was removed.
    """
    with backing_up.alone():
        done = pruning.prune(progress)
        if done.backups or done.blobs:
            audit.record(actor=actor, act=Act.BACKUP_PRUNED, purpose=f"{done.backups} backups, {done.blobs} blobs")
    return done


@enforces("3.2.b")
def rotate_root(*, actor: Actor, progress: Progress = silence) -> rotation.Rotation:
    """Change the backups' own root key; see ``rotation.rotate``.

    Raises:
        Busy: a backup runs on this machine.
        Refusal: the older root was kept; running again goes on.
    """
    with backing_up.alone():
        return rotation.rotate(actor=actor, progress=progress)


def restore(*, wanted: Wanted, progress: Progress = silence) -> Restored:
    """Restore into this empty place; see ``restoring.restore``."""
    return restoring.restore(wanted, progress)


@dataclass(frozen=True, slots=True)
class ObjectsBack:
    """What restoring objects into a living system did.

    Attributes:
        looked_at: how many objects the database names.
        whole: how many of them were as the backup has them.
        back: ids of those that were brought back.
        nowhere: ids of those that are missing here and in the backup.
    """

    looked_at: int
    whole: int
    back: list[UUID]
    nowhere: list[UUID]


@enforces("6.2.b")
def restore_objects(
    *, actor: Actor, subject: UUID | None = None, only: tuple[str, ...] = (), progress: Progress = silence
) -> ObjectsBack:
    """Bring back the objects that a living system's object store lost or that rotted in it, of one customer or all.

    Only what the database still names comes back; nothing of anybody erased does, and nothing whose destruction began.

    Raises:
        KeyShredded: the customer was erased.
        NoBackup: there is no backup.
        StoreUnavailable: the object store failed; running again goes on.
    """
    ledger = vault.erasure_ledger()
    if subject is not None and ledger.holds(subject):
        raise KeyShredded("This customer was erased and does not come back.")
    stores = restoring.used_stores(only)
    found, _ = restoring.choose(stores, Wanted())
    copies = {copy.object_id: copy for copy in found.contents().objects}
    destroyed = vault.destruction_ledger().destroyed()
    rows = [
        row
        for row in vault_contents.sealed_rows(subject)
        if not ledger.holds(row.subject) and row.object_id not in destroyed
    ]
    back, nowhere, whole = [], [], 0
    for at, row in enumerate(rows, 1):
        copy = copies.get(row.object_id)
        if copy is None:
            # Sealed since the backup: there is nothing to compare it with, only whether it is there.
            if not vault.object_store().holds(row.subject, row.object_id):
                nowhere.append(row.object_id)
            else:
                whole += 1
        elif restoring.source_is(copy):
            whole += 1
        elif restoring.bring_back(stores, copy):
            back.append(row.object_id)
        else:
            nowhere.append(row.object_id)
        progress("Objects", at, len(rows))
    if back:
        purpose = f"backup {found.manifest.backup}"
        audit.record(actor=actor, act=Act.OBJECTS_RESTORED, subject=subject, purpose=purpose, object_ids=back)
    return ObjectsBack(len(rows), whole, back, nowhere)


@enforces("6.2.b")
def recover_keys(*, actor: Actor) -> tuple[int, list[str]]:
    """Bring back keys that the key store lost and the mirrors still hold; of nobody who was erased.

    Returns:
        How many came back, and what went wrong, in sentences.

    Raises:
        StoreUnavailable: the key store failed; running again goes on.
    """
    warnings: list[str] = []
    added, unusable = restoring.join_keys(places.stores(), warnings)
    if unusable:
        warnings.append(f"{len(unusable)} keys in the mirrors are opened by no root.")
    if added:
        audit.record(actor=actor, act=Act.KEYS_RECOVERED, purpose=f"{added} keys")
    return added, warnings


@enforces("6.2.b")
def drill(*, actor: Actor, progress: Progress = silence) -> DrillRecord:
    """Hold a drill and keep its signed record; see ``drilling.hold``.

    Returns:
        The record, which says whether it passed.

    Raises:
        PlacesRefused: there are not two stores in two regions of the Union.
    """
    held, signed = drilling.hold(progress, count=DrillRecord.objects.count())
    failed = [f"{step.title}: {step.sentence}" for step in held.steps if not step.passed]
    record = DrillRecord.objects.create(
        began_at=held.began_at,
        ended_at=clock.now(),
        passed=held.passed,
        recovery_seconds=held.recovery_seconds,
        loss_seconds=held.loss_seconds,
        sentence=" ".join([*held.sentences, *failed[:1]])
        if not held.passed
        else "Every step ran inside the objectives.",
        signed=signed,
    )
    audit.record(
        actor=actor,
        act=Act.DRILL_HELD,
        purpose=f"drill {record.id}, record sha256:{hashlib.sha256(signed.encode()).hexdigest()}",
        outcome=Outcome.DONE if held.passed else Outcome.FAILED,
    )
    return record


@enforces("6.2.a")
def review_plan(*, actor: Actor, member: StaffMember, sha256: str) -> PlanReview:
    """Record that a member of staff read the plan and found it right.

    Args:
        actor: the member.
        member: their row.
        sha256: of the plan they read; a plan that changed meanwhile has not been read.

    Raises:
        PlanChanged: the plan in force is another one.
    """
    if sha256 != plan.plan().sha256:
        raise PlanChanged("The plan changed while you read it. Please read it again.")
    with transaction.atomic():
        made = PlanReview.objects.create(plan_sha256=sha256, reviewed_at=clock.now(), reviewer=member)
        audit.record(actor=actor, act=Act.PLAN_REVIEWED, purpose=f"plan sha256:{sha256}")
    return made
