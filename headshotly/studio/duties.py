"""What the studio does unasked."""

import datetime as dt

from headshotly.policy import clock
from headshotly.policy.duties import duty
from headshotly.studio.services import sweep_unnamed

# A worker needs seconds between sealing a picture and naming it; after this long nobody will.
UNNAMED_FOR = dt.timedelta(hours=1)


@duty("studio.sweep", every=dt.timedelta(hours=1))
def sweep() -> str:
    """Remove sealed pictures that no headshot names."""
    return f"{sweep_unnamed(older_than=clock.now() - UNNAMED_FOR)} pictures without a name removed."
