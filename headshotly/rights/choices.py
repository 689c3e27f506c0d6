"""Sale, sharing and sensitive data: the answer is no for everybody, and here it is written down for who asked."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.rights import services
from headshotly.rights.models import PrivacyChoice
from headshotly.rights.states import Channel, Kind, Regime

_REPLIES = {
    Kind.OPT_OUT: noop("You are opted out. We sell and share nobody's data, so nothing else changes."),
    Kind.LIMIT: noop("Your sensitive data is used for nothing but what you asked for; it never was."),
}


def of(subject: UUID) -> PrivacyChoice:
    """Return a customer's choices; empty ones where they made none."""
    return PrivacyChoice.objects.filter(subject=subject).first() or PrivacyChoice(subject=subject)


@enforces("1.2.d")
def record(*, actor: Actor, subject: UUID, kind: Kind, channel: Channel) -> bool:
    """Record an opt-out or a limit, at once and for good; the request is answered in the same transaction.

    Args:
        actor: the customer, or their browser's signal.
        subject: their pseudonym.
        kind: ``OPT_OUT`` or ``LIMIT``.
        channel: by hand, or by Global Privacy Control.

    Returns:
        True when it was not recorded before.
    """
    column = "opted_out_at" if kind is Kind.OPT_OUT else "limited_at"
    with transaction.atomic():
        PrivacyChoice.objects.get_or_create(subject=subject)
        fresh = PrivacyChoice.objects.filter(subject=subject, **{f"{column}__isnull": True})
        changed = fresh.update(
            **{column: clock.now()}, **({"opted_out_by": channel.value} if kind is Kind.OPT_OUT else {})
        )
        if changed:
            audit.record(actor=actor, act=Act.CHOICE_RECORDED, subject=subject, purpose=f"{kind} by {channel}")
            received = services.receive(
                actor=actor,
                kind=kind,
                regime=Regime.CALIFORNIA,
                channel=channel,
                words=services.Words(),
                subject=subject,
            )
            services.answer(actor=actor, request_id=received.request.id, reply=_(_REPLIES[kind]))
    return bool(changed)


def has_opted_out(subject: UUID) -> bool:
    """Say whether a customer has opted out, by hand or by signal."""
    return PrivacyChoice.objects.filter(subject=subject, opted_out_at__isnull=False).exists()
