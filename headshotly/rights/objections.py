"""When a person in a photo that somebody else uploaded objects: work on it stops while the DPO judges, then it goes.

Nobody is looked for by their face: that would be the biometric recognition this service promises not to do. The DPO
finds the uploader by what the person can tell.
"""

from uuid import UUID

from django.db import transaction

from headshotly.audit.actor import Actor
from headshotly.policy.enforcement import enforces
from headshotly.purposes import restrictions
from headshotly.purposes.grounds import RestrictionGround
from headshotly.purposes.texts import HEADSHOT_GENERATION
from headshotly.rights.errors import NotFound, NotNow
from headshotly.rights.models import RightsRequest
from headshotly.rights.states import LIVE, Kind
from headshotly.studio import services as studio


def _open_objection(request_id: UUID) -> RightsRequest:
    found = RightsRequest.objects.filter(id=request_id, kind=Kind.PHOTO).first()
    if found is None:
        raise NotFound("There is no such objection.")
    if found.state not in LIVE:
        raise NotNow("This objection is decided already.")
    return found


@enforces("1.1.d")
def pause(*, actor: Actor, request_id: UUID, subject: UUID) -> None:
    """Stop work on an uploader's photos while an objection is judged (GDPR Art. 18(1)(d)).

    Args:
        actor: who judges.
        request_id: the objection.
        subject: pseudonym of the uploader.

    Raises:
        NotFound: there is no such objection.
        NotNow: it is decided already.
    """
    _open_objection(request_id)
    restrictions.restrict(
        actor=actor, subject=subject, activity=HEADSHOT_GENERATION, ground=RestrictionGround.THIRD_PERSON
    )


def release(*, actor: Actor, request_id: UUID, subject: UUID) -> None:
    """Let work go on, because the objection was unfounded or is settled. Raises as ``pause``."""
    _open_objection(request_id)
    restrictions.resume(
        actor=actor, subject=subject, activity=HEADSHOT_GENERATION, ground=RestrictionGround.THIRD_PERSON
    )


@enforces("1.1.d", "1.2.c")
def uphold(*, actor: Actor, request_id: UUID, subject: UUID, photo_ids: list[UUID]) -> int:
    """Delete the photos that show the person, with the headshots made of them, and let other work go on.

    A crash in the middle leaves the objection open and work stopped; doing it again goes on.

    Returns:
        How many pictures are gone.

    Raises:
        NotFound: there is no such objection, or a photo is not the uploader's.
        NotNow: it is decided already, or no photo is named.
    """
    _open_objection(request_id)
    if not photo_ids:
        raise NotNow("Please name the photos that show the person.")
    gone = sum(studio.delete_photo_and_results(actor=actor, subject=subject, photo_id=one) for one in photo_ids)
    with transaction.atomic():
        restrictions.resume(
            actor=actor, subject=subject, activity=HEADSHOT_GENERATION, ground=RestrictionGround.THIRD_PERSON
        )
    return gone
