"""What this room does unasked."""

import datetime as dt

from headshotly.access import desk, grants
from headshotly.access.models import Grant
from headshotly.audit.actor import SYSTEM
from headshotly.policy import clock
from headshotly.policy.duties import duty
from headshotly.policy.enforcement import enforces

_OPEN = frozenset({grants.State.ASKED, grants.State.SCHEDULED, grants.State.LIVE})


@duty("access.people-checks", every=dt.timedelta(minutes=5))
@enforces("4.1.b", "5.1.b", "5.2")
def people_checks() -> str:
    """End what members hold or ask for whose check has expired; using it would have been refused anyway."""
    ended = 0
    for member, missing in desk.people_with_gaps():
        for grant in Grant.objects.filter(member=member, ended_at__isnull=True, refused_at__isnull=True):
            if grants.state(grant, clock.now()) in _OPEN:
                grants.end(actor=SYSTEM, grant_id=grant.id, because=missing[0])
                ended += 1
    return f"{ended} grants of members with a gap in their checks ended."
