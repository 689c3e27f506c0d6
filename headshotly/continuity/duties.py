"""What this room does unasked."""

import datetime as dt

from headshotly.audit.actor import SYSTEM
from headshotly.continuity import checking, selectors, services
from headshotly.continuity.errors import BackupIncomplete, DrillFailed, NoBackup
from headshotly.policy import clock
from headshotly.policy.duties import duty


@duty("continuity.backup", every=dt.timedelta(hours=6), longest=dt.timedelta(hours=6), slow=True)
def back_up() -> str:
    """Back everything up, then let old backups go."""
    record = services.back_up(actor=SYSTEM)
    services.require_complete(record)
    pruned = services.prune(actor=SYSTEM)
    return f"Backup {record.id} is complete in {' and '.join(record.held_by)}; {pruned.backups} old ones let go."


@duty("continuity.mirror", every=dt.timedelta(minutes=1))
def mirror() -> str:
    """Keep every region's mirror of keys and erasures up to date."""
    found = services.mirror()
    failed = " ".join(f"{one.region}: {one.sentence}" for one in found if one.sentence)
    if failed:
        raise BackupIncomplete(failed)
    return f"{found[0].keys} keys in {len(found)} regions."


@duty("continuity.check", every=dt.timedelta(days=1), longest=dt.timedelta(hours=6), slow=True)
def check() -> str:
    """Read one of 28 parts of what is kept, so that every byte is read in four weeks, and heal what rotted."""
    found = services.check(actor=SYSTEM, share=clock.now().toordinal() % checking.SHARES)
    sentence = "; ".join(
        one.failed or f"{one.region}: {one.read} read, {one.damaged} damaged, {one.healed} healed"
        for one in found.stores
    )
    if not found.whole:
        raise BackupIncomplete(" ".join([sentence, *found.unusable]))
    return f"{sentence}."


@duty("continuity.drill", every=dt.timedelta(days=7), longest=dt.timedelta(hours=6), slow=True)
def drill() -> str:
    """Restore everything into an empty place, as the plan says, and measure it."""
    if not selectors.has_whole_backup():
        raise NoBackup("There is no whole backup yet to exercise with.")
    held = services.drill(actor=SYSTEM)
    if not held.passed:
        raise DrillFailed(held.sentence)
    return f"Everything was back in {held.recovery_seconds or 0:.0f} s."
