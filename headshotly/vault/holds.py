"""Stopping the use of keys without destroying them: a customer's, or everybody's; undone as quickly (clause 8.1).

A hold is looked at on every opening, before the journal's entry and long before a key. It stops reading, not deleting:
who asks for erasure while keys are held gets it.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import UUIDField

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.prepared import Prepared
from headshotly.vault.errors import KeyHeld
from headshotly.vault.models import KeyHold
from headshotly.vault.warrant import Warrant

EVERYBODY = UUID(int=0)
# What a hold must not stop: a member of staff signing in to lift it, the evidence of the case it was made for, and
# writing to the people whom the breach concerns.
_NEVER_HELD = ("sign-in", "case:", "service:breach-notice", "service:on-call")
_STOPPING = Prepared(lambda subject: KeyHold.objects.filter(subject__in=[subject, EVERYBODY]), subject=UUIDField())


def hold(*, actor: Actor, subject: UUID | None, because: str) -> bool:
    """Stop every opening of a customer's sealed data, or of everybody's; return whether it was free before.

    Args:
        actor: who stops it.
        subject: whose; None for everybody's.
        because: why, in a sentence.
    """
    with transaction.atomic():
        _, fresh = KeyHold.objects.get_or_create(
            subject=subject or EVERYBODY,
            defaults={"held_at": clock.now(), "held_by": actor.id, "because": because[:300]},
        )
        if fresh:
            audit.record(actor=actor, act=Act.KEY_HELD, subject=subject, purpose="one" if subject else "everybody")
    return fresh


def release(*, actor: Actor, subject: UUID | None) -> bool:
    """Let the keys be used again; return whether they were held."""
    with transaction.atomic():
        gone, _ = KeyHold.objects.filter(subject=subject or EVERYBODY).delete()
        if gone:
            audit.record(actor=actor, act=Act.KEY_RELEASED, subject=subject, purpose="one" if subject else "everybody")
    return bool(gone)


def held() -> list[UUID | None]:
    """Return whose keys are held; None stands for everybody's."""
    found = KeyHold.objects.order_by("held_at").values_list("subject", flat=True)
    return [None if subject == EVERYBODY else subject for subject in found]


@enforces("8.1.a-b")
def stops(warrant: Warrant) -> bool:
    """Say whether a hold stops an opening under a warrant."""
    if warrant.basis.startswith(_NEVER_HELD):
        return False
    return _STOPPING.one(subject=warrant.subject) is not None


def require_free(warrant: Warrant) -> None:
    """Pass only where nothing stops an opening.

    Raises:
        KeyHeld: a hold does.
    """
    if stops(warrant):
        raise KeyHeld("This cannot be opened at the moment, while an incident is looked into. Nothing is lost.")
