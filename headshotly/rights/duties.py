"""What this room does unasked."""

import datetime as dt

from headshotly.policy.duties import duty
from headshotly.rights import erasure, mailing, queue, retention


@duty("rights.remind", every=dt.timedelta(hours=1))
def remind() -> str:
    """Tell the DPO what runs out soon."""
    return f"{queue.remind()} requests about to run out were named to the DPO."


@duty("rights.sweep", every=dt.timedelta(hours=1), longest=dt.timedelta(hours=1))
def sweep() -> str:
    """Enforce every time limit."""
    found = {name: count for name, count in retention.sweep().items() if count}
    return "; ".join(f"{name}: {count}" for name, count in found.items()) + "." if found else "Nothing was too old."


@duty("rights.erase", every=dt.timedelta(minutes=10), longest=dt.timedelta(hours=1))
def erase() -> str:
    """Do planned erasures, and finish interrupted ones."""
    done, failed = erasure.run_due()
    return f"{done} planned and {erasure.finish_interrupted()} interrupted erasures done, {failed} to be tried again."


@duty("rights.mail", every=dt.timedelta(minutes=1), longest=dt.timedelta(minutes=30))
def send_notices() -> str:
    """Queue and hand over the mails about published versions."""
    return f"{mailing.queue_due()} notices queued, {mailing.send_due()} handed over."
