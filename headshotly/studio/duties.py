"""What the studio does unasked."""

import datetime as dt

from headshotly.audit.actor import SYSTEM
from headshotly.policy import clock
from headshotly.policy.duties import duty
from headshotly.studio.services import finish_deletions, sweep_unnamed

# A worker needs seconds between sealing a picture and naming it; after this long nobody will.
UNNAMED_FOR = dt.timedelta(hours=1)


@duty("studio.sweep", every=dt.timedelta(hours=1), slow=True)
def sweep() -> str:
    """Finish deletions that were cut short, and remove sealed pictures that no headshot names."""
    finished = finish_deletions(actor=SYSTEM)
    unnamed = sweep_unnamed(older_than=clock.now() - UNNAMED_FOR)
    return f"{finished} deletions finished, {unnamed} pictures without a name removed."
