"""Reading the consent register."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from headshotly.purposes.models import Consent
from headshotly.purposes.texts import current_hashes


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One consent as shown to its data subject."""

    activity: str
    version: str
    text_sha256: str
    given_at: datetime
    withdrawn_at: datetime | None


def consent_in_force(subject: UUID, activity: str) -> ConsentRecord | None:
    """Return the consent to the current text, or None.

    Args:
        subject: pseudonym of the data subject.
        activity: id of the activity.
    """
    row = Consent.objects.filter(
        subject=subject,
        activity=activity,
        withdrawn_at__isnull=True,
        text_sha256__in=current_hashes(activity),
    ).first()
    return _record(row) if row else None


def consent_history(subject: UUID) -> list[ConsentRecord]:
    """Return every consent of a data subject, oldest first."""
    return [_record(row) for row in Consent.objects.filter(subject=subject).order_by("given_at")]


def has_begun(activity: str) -> bool:
    """Say whether anybody ever agreed to an activity here."""
    return Consent.objects.filter(activity=activity).exists()


def agreed_at(subject: UUID, activity: str, moment: datetime) -> bool:
    """Say whether a consent of a subject was in force at a moment."""
    given = Consent.objects.filter(subject=subject, activity=activity, given_at__lte=moment)
    return given.filter(Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gt=moment)).exists()


def _record(row: Consent) -> ConsentRecord:
    return ConsentRecord(
        activity=row.activity,
        version=row.version,
        text_sha256=row.text_sha256,
        given_at=row.given_at,
        withdrawn_at=row.withdrawn_at,
    )
