"""What the house does by itself when an alert is raised: only what is safe, over soon or undone by one button."""

import logging
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import transaction

from headshotly.access import grants
from headshotly.access.models import Grant
from headshotly.audit.actor import SYSTEM
from headshotly.incidents import blocks, containment, staff_watching
from headshotly.incidents.models import Alert, CaseAlert
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal

# id of one of our own rules → what follows
ATTACKS_BLOCKED = "attacks_blocked"
SIGN_IN_SPRAYING = "sign_in_spraying"
ACCOUNT_GUESSED = "account_guessed"
MANY_WARRANTS_REFUSED = "many_warrants_refused"
STAFF_OPENED_MANY = "staff_opened_many"
# What stops a member's grants: openings that nothing explains, and far more people than they or others ever open.
_STOPS_GRANTS = frozenset({staff_watching.UNEXPLAINED, staff_watching.VOLUME})
_logger = logging.getLogger(__name__)


@enforces("2.3.b", "5.3.b")
def react(alert: Alert) -> None:
    """Contain what an alert tells of, in its transaction; what cannot be contained is still told.

    An address that attacks or tries passwords is refused for a quarter of an hour. Whoever entered an account after
    guessing is signed out. A member of staff whose warrants are refused again and again is signed out. Who of staff
    opens what nothing explains, or data of far too many people, has every approved grant suspended: once an alert, so
    that whoever looks into it and lets one go is not overruled, and not broken glass, for a real emergency.
    """
    own = _OWN.get(alert.rule)
    if own in {ATTACKS_BLOCKED, SIGN_IN_SPRAYING}:
        blocks.begin(actor=SYSTEM, address=alert.address, reason=alert.title, alert=alert.id)
    elif own == ACCOUNT_GUESSED and alert.subject is not None:
        _contain("sessions", str(alert.subject), alert)
    elif own == MANY_WARRANTS_REFUSED and alert.actor.startswith("staff:"):
        _contain("staff-sessions", alert.actor.removeprefix("staff:"), alert)
    elif own == STAFF_OPENED_MANY or alert.rule in _STOPS_GRANTS:
        for grant in _grants_of(alert.actor):
            _contain(containment.GRANT, str(grant.id), alert)


def _grants_of(actor: str) -> list[Grant]:
    kind, _, member = actor.partition(":")
    try:
        return grants.in_force_of(UUID(member)) if kind == "staff" else []
    except ValueError:
        return []


def _contain(measure: str, target: str, alert: Alert) -> None:
    of = CaseAlert.objects.filter(alert=alert).first()
    because = f"By itself: {alert.title}."
    try:
        with transaction.atomic():
            containment.contain(
                actor=SYSTEM, number=of.case_id if of else None, measure_id=measure, target=target, because=because
            )
    except Refusal as refusal:
        _logger.warning("containment.refused", extra={"rule": alert.rule, "measure": measure, "code": refusal.code})


def _ids() -> dict[str, str]:
    """Return the ids of our own rules by which they are known here; they are made from their names."""
    names = (ATTACKS_BLOCKED, SIGN_IN_SPRAYING, ACCOUNT_GUESSED, MANY_WARRANTS_REFUSED, STAFF_OPENED_MANY)
    return {str(uuid5(NAMESPACE_URL, f"headshotly:rule:{name}")): name for name in names}


_OWN = _ids()
