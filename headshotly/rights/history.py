"""What this room itself holds about a customer: for their copy, and for the day they leave."""

from typing import Any
from uuid import UUID

from headshotly.rights import services
from headshotly.rights.models import Delivery, ErasurePlan, Export, PrivacyChoice, RightsRequest
from headshotly.vault.warrant import Warrant


def requests_of(subject: UUID) -> list[RightsRequest]:
    """Return a person's requests, newest first."""
    return list(RightsRequest.objects.filter(subject=subject).order_by("-received_at"))


def _request(one: RightsRequest, warrant: Warrant) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "kind": one.kind,
        "law": one.regime,
        "state": one.state,
        "received_at": one.received_at,
        "answer_by": services.last_day(one),
        "closed_at": one.closed_at,
        "outcome": one.outcome,
        "what_you_wrote": services.read_words(request=one, warrant=warrant).text if one.words else "",
        "what_we_answered": services.read_reply(request=one, warrant=warrant),
    }


def export(subject: UUID, warrant: Warrant) -> dict[str, Any]:
    """Return a customer's requests, choices and notices as plain JSON data."""
    choice = PrivacyChoice.objects.filter(subject=subject).first()
    told = Delivery.objects.select_related("publication").filter(subject=subject).order_by("next_at")
    return {
        "requests": [_request(one, warrant) for one in requests_of(subject)],
        "opted_out_at": choice.opted_out_at if choice else None,
        "limited_at": choice.limited_at if choice else None,
        "exports": [{"asked_at": one.asked_at, "state": one.state} for one in Export.objects.filter(subject=subject)],
        "told_of": [
            {"document": one.publication.document, "version": one.publication.version, "sent_at": one.sent_at}
            for one in told
        ],
    }


def erase(subject: UUID) -> None:
    """Remove a leaving customer's rows. The record of their requests stays 24 months, without a word of theirs."""
    services.note_deletion(subject=subject)
    Export.objects.filter(subject=subject).delete()
    PrivacyChoice.objects.filter(subject=subject).delete()
    ErasurePlan.objects.filter(subject=subject).delete()
    Delivery.objects.filter(subject=subject).delete()
    RightsRequest.objects.filter(subject=subject).update(words=None, reply=None, proof_sha256=b"")
