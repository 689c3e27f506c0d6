"""The last whole backup is encrypted, and younger than the plan's objective (clause 6.1.a)."""

from headshotly.continuity import catalogue, places, plan, selectors
from headshotly.continuity.errors import BackupDamaged, PlacesRefused
from headshotly.policy.refusal import Refusal
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="backup_is_recent",
    clauses=("6.1.a",),
    title="Backups are recent and encrypted",
    words="We ask the backup stores themselves, not our records, for the newest backup: its signature must hold, its "
    "list of contents must open with the backups' own key, a piece of it must be ciphertext, nothing may be missing "
    "from it, and it must be younger than the recovery plan allows.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Read the newest manifest and its contents from the stores."""
    try:
        found = catalogue.look(places.stores(), places.key_service())
    except PlacesRefused as refusal:
        return broken(refusal.sentence, ids=["backup stores"])
    newest = found.newest()
    if newest is None:
        if selectors.has_whole_backup() or found.damaged:
            return broken("Backups were made, and no store has one that can be believed.", ids=["backup stores"])
        return unknown("No backup was made yet.")
    made, bad = newest.manifest, list(found.damaged)
    limit = plan.plan().objectives.backup_age
    age = selectors.age_of(made.moment)
    if age is None:
        bad.append(f"backup {made.backup} is dated in the future")
    elif age > limit:
        bad.append(f"the newest backup, {made.backup}, is {age.total_seconds() / 3600:.0f} hours old")
    if made.missing:
        bad.append(f"backup {made.backup} lacks {made.missing} objects")
    try:
        catalogue.require_sealed(newest)
    except (BackupDamaged, Refusal) as damage:
        bad.append(f"backup {made.backup}: {damage.sentence}")
    if bad:
        return broken(f"Not as it must be: {bad[0]}.", ids=bad, population=len(found.backups) or 1)
    hours = 0 if age is None else age.total_seconds() / 3600
    return held(
        f"The newest of {len(found.backups)} backups is {hours:.1f} hours old, signed, and encrypted under a key of "
        "its own.",
        population=len(found.backups),
    )
