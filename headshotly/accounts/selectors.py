"""Reading accounts. What is personal is opened under a warrant."""

from dataclasses import dataclass
from uuid import UUID

from headshotly.accounts.models import Customer
from headshotly.accounts.services import EMAIL_FIELD, NAME_FIELD
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant


@dataclass(frozen=True, slots=True)
class Profile:
    """What a customer told about themselves."""

    name: str
    email: str


def customer(subject: UUID) -> Customer | None:
    """Return a customer by pseudonym."""
    return Customer.objects.filter(id=subject).first()


def profile(found: Customer, *, warrant: Warrant) -> Profile:
    """Return name and address of a customer, each opening journalled."""
    return Profile(
        name=vault.open_field(subject=found.id, field=NAME_FIELD, sealed=bytes(found.name_sealed), warrant=warrant),
        email=vault.open_field(subject=found.id, field=EMAIL_FIELD, sealed=bytes(found.email_sealed), warrant=warrant),
    )


def subjects() -> set[UUID]:
    """Return the pseudonyms of all customers."""
    return set(Customer.objects.values_list("id", flat=True))
