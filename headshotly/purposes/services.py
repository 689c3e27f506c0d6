"""Giving, withdrawing and requiring consent."""

from uuid import UUID

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.purposes import selectors
from headshotly.purposes.assessments import require_assessed
from headshotly.purposes.errors import ConsentMissing, ConsentTextOutdated
from headshotly.purposes.models import Consent, Restriction, RetentionChoice
from headshotly.purposes.restrictions import require_unrestricted
from headshotly.purposes.texts import current_hashes, current_text
from headshotly.purposes.withdrawal import stop_work


@enforces("1.1.d")
def give_consent(*, actor: Actor, subject: UUID, activity: str, version: str, language: str = "en") -> None:
    """Record a consent to the current text; saying yes twice records it once.

    Args:
        actor: who says yes; the data subject in their own session.
        subject: pseudonym of the data subject.
        activity: id of the activity.
        version: version of the text the person was shown.
        language: of the text the person was shown; the hash kept is that of these words.

    Raises:
        UnknownActivity: no text exists for the activity.
        ConsentTextOutdated: the text shown is no longer the current one.
    """
    text = current_text(activity, language)
    if version != text.version:
        raise ConsentTextOutdated("This text has changed since you opened the page. Please read the new one.")
    with transaction.atomic():
        in_force = Consent.objects.select_for_update().filter(
            subject=subject, activity=activity, withdrawn_at__isnull=True
        )
        if in_force.filter(text_sha256__in=current_hashes(activity)).exists():
            return
        now = clock.now()
        # An older text's consent ends where the newer one begins, in one transaction: never two, never none.
        in_force.update(withdrawn_at=now)
        Consent.objects.create(
            subject=subject, activity=activity, version=version, text_sha256=text.sha256, given_at=now
        )
        audit.record(actor=actor, act=Act.CONSENT_GIVEN, subject=subject, purpose=activity)


@enforces("1.1.d")
def withdraw_consent(*, actor: Actor, subject: UUID, activity: str) -> bool:
    """Withdraw the consent in force, if there is one (GDPR Art. 7(3): as easy as giving); waiting work ends with it.

    Returns:
        True when a consent was in force and is now withdrawn.
    """
    with transaction.atomic():
        changed = Consent.objects.filter(subject=subject, activity=activity, withdrawn_at__isnull=True).update(
            withdrawn_at=clock.now()
        )
        if changed:
            stop_work(actor=actor, subject=subject, activity=activity)
            audit.record(actor=actor, act=Act.CONSENT_WITHDRAWN, subject=subject, purpose=activity)
    return bool(changed)


@enforces("1.1.d")
def require_consent(*, subject: UUID, activity: str) -> None:
    """Pass only while the subject's consent to the current text is in force and nothing else stops the activity.

    Raises:
        AssessmentMissing: in production, its impact assessment is not approved.
        ConsentMissing: it never was given, was withdrawn, or was given to an older text.
        ProcessingRestricted: the subject restricted it or objected.
    """
    require_assessed(activity)
    require_unrestricted(subject=subject, activity=activity)
    if selectors.consent_in_force(subject, activity) is None:
        raise ConsentMissing("We may only work on your photos after you agree to it on the consent page.")


def erase_consents(*, subject: UUID) -> int:
    """Remove a deleted customer's consents, restrictions and choices; the journal keeps the pseudonymous entries.

    Returns:
        How many rows were removed.
    """
    return sum(model.objects.filter(subject=subject).delete()[0] for model in (Consent, Restriction, RetentionChoice))
