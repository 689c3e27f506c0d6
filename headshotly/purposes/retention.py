"""How long: the declared time limits, and what a customer chose instead (GDPR Art. 5(1)(e))."""

from uuid import UUID

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.purposes.declarations import TimeLimit, limits
from headshotly.purposes.errors import ChoiceRefused
from headshotly.purposes.models import RetentionChoice


def choose(*, actor: Actor, subject: UUID, limit: str, days: int | None) -> None:
    """Keep a kind of a customer's data as long as they want, among what is offered.

    Args:
        actor: the customer.
        subject: their pseudonym.
        limit: id of a declared time limit.
        days: whole days, or None for “until I delete it”.

    Raises:
        ChoiceRefused: there is no such limit, or this length is not offered.
    """
    offered = limits().get(limit)
    if offered is None or days not in offered.choices:
        raise ChoiceRefused("Please choose one of the times on the list.")
    with transaction.atomic():
        RetentionChoice.objects.update_or_create(
            subject=subject, limit=limit, defaults={"days": days, "chosen_at": clock.now()}
        )
        length = "until deleted" if days is None else f"{days} days"
        audit.record(actor=actor, act=Act.RETENTION_CHOSEN, subject=subject, purpose=f"{limit}: {length}")


def chosen(limit: TimeLimit) -> dict[UUID, int | None]:
    """Return what customers chose for a limit; whoever is not in it has the default."""
    return dict(RetentionChoice.objects.filter(limit=limit.id).values_list("subject", "days"))


def days_for(subject: UUID, limit: TimeLimit) -> int | None:
    """Return how many days a limit is for one customer; None means until they delete it."""
    row = RetentionChoice.objects.filter(subject=subject, limit=limit.id).first()
    return limit.days if row is None else row.days
