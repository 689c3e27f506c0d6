"""Reading what this room recorded, for pages and checks."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from headshotly.continuity import catalogue, manifest, places, plan
from headshotly.continuity.backing_up import SKEW
from headshotly.continuity.errors import BackupDamaged, NotFound, PlacesRefused
from headshotly.continuity.models import (
    BackupRecord,
    BackupState,
    DrillRecord,
    MirrorRecord,
    PlanReview,
    StoreCheck,
)
from headshotly.policy import clock
from headshotly.vault.errors import KeyServiceUnavailable


@dataclass(frozen=True, slots=True)
class Standing:
    """How something stands against its objective.

    Attributes:
        what: it is.
        age: how old the newest good one is; None where there is none, or where its date lies in the future.
        limit: how old it may be.
        sentence: in plain words.
    """

    what: str
    age: dt.timedelta | None
    limit: dt.timedelta
    sentence: str

    @property
    def good(self) -> bool:
        """Say whether it is young enough; what does not exist is not."""
        return self.age is not None and self.age <= self.limit


def has_whole_backup() -> bool:
    """Say whether any backup was ever complete in every store."""
    return BackupRecord.objects.filter(state=BackupState.COMPLETE).exists()


def newest_whole_backup() -> BackupRecord | None:
    """Return the newest backup that is whole in every store, by its number and not by clocks."""
    return BackupRecord.objects.filter(state=BackupState.COMPLETE).order_by("-generation").first()


def backups(most: int = 20) -> list[BackupRecord]:
    """Return the runs of the backup, newest first."""
    return list(BackupRecord.objects.order_by("-began_at")[:most])


def drills(most: int = 20) -> list[DrillRecord]:
    """Return the drills, newest first."""
    return list(DrillRecord.objects.order_by("-began_at")[:most])


def drill_of(drill_id: UUID) -> DrillRecord:
    """Return a drill.

    Raises:
        NotFound: there is none.
    """
    found = DrillRecord.objects.filter(id=drill_id).first()
    if found is None:
        raise NotFound("There is no such drill.")
    return found


def checks() -> list[StoreCheck]:
    """Return the newest check of each region."""
    newest: dict[str, StoreCheck] = {}
    for one in StoreCheck.objects.order_by("-checked_at")[:100]:
        newest.setdefault(one.region, one)
    return [newest[region] for region in sorted(newest)]


def mirrors() -> list[MirrorRecord]:
    """Return how each region's mirror stands."""
    return list(MirrorRecord.objects.order_by("region"))


def review() -> PlanReview | None:
    """Return the newest review of the plan as it is now."""
    found = PlanReview.objects.select_related("reviewer").filter(plan_sha256=plan.plan().sha256)
    return found.order_by("-reviewed_at").first()


def age_of(at: dt.datetime | None) -> dt.timedelta | None:
    """Return how old something is; what is dated in the future has no age, for a clock is or was wrong."""
    if at is None or at > clock.now() + SKEW:
        return None
    return max(clock.now() - at, dt.timedelta(0))


def backup_standing() -> Standing:
    """Return how the newest whole backup stands against the plan's objective."""
    newest = newest_whole_backup()
    limit = plan.plan().objectives.backup_age
    if newest is None:
        return Standing("Backup", None, limit, "There is no whole backup yet.")
    age = age_of(newest.snapshot_at)
    if age is None:
        return Standing("Backup", None, limit, "The newest backup is dated in the future: a clock is or was wrong.")
    return Standing("Backup", age, limit, f"Whole in {' and '.join(newest.held_by)}, read back.")


def mirror_standing() -> Standing:
    """Return how the oldest of the mirrors stands against the plan's objective."""
    limit = plan.plan().objectives.mirror_age
    try:
        wanted = {store.region for store in places.stores()}
    except PlacesRefused as refusal:
        return Standing("Mirror", None, limit, refusal.sentence)
    kept = {one.region: one for one in mirrors() if one.region in wanted}
    ages = [age_of(kept[region].mirrored_at) if region in kept else None for region in sorted(wanted)]
    wrong = " ".join(f"{one.region}: {one.sentence}" for one in kept.values() if one.sentence)
    known = [age for age in ages if age is not None]
    if len(known) < len(ages):
        return Standing("Mirror", None, limit, wrong or "Not every region has a mirror of the keys yet.")
    if wrong:
        return Standing("Mirror", None, limit, wrong)
    return Standing("Mirror", max(known), limit, "Keys and erasures, as they are now, in every region.")


def drill_standing() -> Standing:
    """Return how the newest passed drill stands; a later one that failed counts against it."""
    limit = plan.plan().objectives.drill_every
    newest = DrillRecord.objects.order_by("-began_at").first()
    if newest is None:
        return Standing("Drill", None, limit, "No drill was held yet.")
    if not newest.passed:
        return Standing("Drill", None, limit, newest.sentence)
    return Standing("Drill", age_of(newest.began_at), limit, newest.sentence)


def plan_standing() -> Standing:
    """Return how old the newest review of the plan in force is."""
    limit, newest = plan.plan().review_every, review()
    if newest is None:
        return Standing("Plan", None, limit, "Nobody has reviewed the plan as it is now.")
    return Standing("Plan", age_of(newest.reviewed_at), limit, f"Reviewed by {newest.reviewer.handle}.")


def standings() -> list[Standing]:
    """Return everything that has an objective."""
    return [backup_standing(), mirror_standing(), drill_standing(), plan_standing()]


def was_ever_reviewed() -> bool:
    """Say whether any version of the plan was ever reviewed."""
    return PlanReview.objects.exists()


def doubts_about(drill: DrillRecord) -> list[str]:
    """Return why a drill's record does not show that recovery works now, one sentence each.

    Everything is taken from the signed document and held against the plan in force, not from the row beside it.

    Raises:
        KeyServiceUnavailable: the backups' key does not open.
    """
    newest = catalogue.look(places.stores(), places.key_service()).newest()
    if newest is None:
        return ["There is no backup any more whose key could check its record."]
    try:
        seen = manifest.require_signature(drill.signed.encode(), newest.key.signing.public_key())
    except BackupDamaged:
        return ["Its record is not as it was signed, or was never signed."]
    promised, doubts = plan.plan().objectives, []
    if not seen["passed"] or not drill.passed:
        doubts.append(drill.sentence or "It failed.")
    if not seen["steps"] or not all(step["ran"] and step["passed"] for step in seen["steps"]):
        doubts.append("A step of the plan did not pass.")
    measured = ((seen["recovery_seconds"], promised.recovery), (seen["loss_seconds"], promised.data_loss))
    if any(value is None or value > limit.total_seconds() for value, limit in measured):
        doubts.append("It missed an objective of the plan.")
    age = age_of(dt.datetime.fromisoformat(seen["began_at"]))
    if age is None or age > promised.drill_every:
        doubts.append("It is too long ago.")
    return doubts


@dataclass(frozen=True, slots=True)
class RootKeyState:
    """How the backups' own root key stands.

    Attributes:
        root: id of the one in force.
        made_at: when it was made, aware.
        older: ids of the others that are not retired: a rotation was interrupted.
        backups: how many open with the one in force.
        stale: regions in which a backup opens under an older root only.
        unreadable: one sentence for each store that is silent and each manifest that cannot be believed.
    """

    root: str
    made_at: dt.datetime
    older: tuple[str, ...]
    backups: int
    stale: tuple[str, ...]
    unreadable: tuple[str, ...]


def root_key_state() -> RootKeyState | None:
    """Return how the backups' root key stands, from the key service and the stores; None before there is one.

    Raises:
        KeyServiceUnavailable: the key service did not answer.
        PlacesRefused: there are not two stores in two regions of the Union.
    """
    service = places.key_service()
    roots = service.roots()
    if not roots:
        return None
    root = service.current_root()
    backups: set[UUID] = set()
    stale, unreadable = [], list[str]()
    for store in places.stores():
        try:
            found = catalogue.look((store,), service, only_root=root)
        except KeyServiceUnavailable:
            # The service answered a moment ago; what it refuses now is a key under another root.
            stale.append(store.region)
            continue
        unreadable += [*found.damaged, *(f"{region}: {why}" for region, why in found.silent.items())]
        backups |= {one.manifest.id for one in found.backups}
    older = tuple(sorted(set(roots) - {root}))
    made_at = dt.datetime.fromisoformat(roots[root])
    return RootKeyState(root, made_at, older, len(backups), tuple(stale), tuple(unreadable))


def snapshots(*, since: dt.datetime) -> list[tuple[dt.datetime, list[str]]]:
    """Return the moments of the backups made since one, oldest first, and the regions each lies in.

    Args:
        since: aware.
    """
    rows = (
        BackupRecord.objects.filter(snapshot_at__gte=since)
        .order_by("snapshot_at")
        .values_list("snapshot_at", "held_by")
    )
    return [(moment, list(regions)) for moment, regions in rows if moment is not None]


def vendors() -> dict[str, str]:
    """Return whose the backup store of each region is, of those that are configured."""
    try:
        stores = places.stores()
    except PlacesRefused:
        return {}
    return {one.region: "Amazon Web Services" if one.where.startswith("s3://") else "our own machine" for one in stores}
