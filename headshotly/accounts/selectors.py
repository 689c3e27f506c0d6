"""Reading accounts. What is personal is opened under a warrant."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from headshotly.accounts.addresses import normalise
from headshotly.accounts.fields import EMAIL_FIELD, NAME_FIELD
from headshotly.accounts.models import Customer, CustomerSession
from headshotly.accounts.sessions import kept_key
from headshotly.policy import clock
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


def language_of(subject: UUID) -> str:
    """Return the language a customer is written to in; empty where they left."""
    return Customer.objects.filter(id=subject).values_list("language", flat=True).first() or ""


def customer_by_email(email: str) -> Customer | None:
    """Return the customer with an address, found by its blind index.

    Raises:
        InputRefused: it is no address.
    """
    return Customer.objects.filter(email_index=vault.blind_index(field=EMAIL_FIELD, value=normalise(email))).first()


@dataclass(frozen=True, slots=True)
class SessionShown:
    """One session as its owner sees it.

    Attributes:
        kept: what the database calls it; useless as a cookie.
        here: it is the one that asks.
    """

    kept: str
    device: str
    started_at: dt.datetime | None
    here: bool


def sessions_of(subject: UUID, *, session_key: str) -> list[SessionShown]:
    """Return a customer's living sessions, newest first."""
    here = kept_key(session_key)
    found = CustomerSession.objects.filter(subject=subject, expire_date__gt=clock.now()).order_by("-started_at")
    return [SessionShown(row.session_key, row.device, row.started_at, row.session_key == here) for row in found]


def profile(found: Customer, *, warrant: Warrant) -> Profile:
    """Return name and address of a customer, each opening journalled."""
    return Profile(
        name=vault.open_field(subject=found.id, field=NAME_FIELD, sealed=bytes(found.name_sealed), warrant=warrant),
        email=vault.open_field(subject=found.id, field=EMAIL_FIELD, sealed=bytes(found.email_sealed), warrant=warrant),
    )


def is_unused_since(subject: UUID, moment: dt.datetime) -> bool:
    """Say whether a customer neither signed in nor signed up since a moment; no where they left."""
    mine = Customer.objects.filter(id=subject, created_at__lt=moment)
    return mine.exclude(last_login__gte=moment).exists()


def all_sessions_of(subject: UUID) -> list[tuple[str, dt.datetime | None]]:
    """Return device and beginning of every living session of a customer."""
    found = CustomerSession.objects.filter(subject=subject, expire_date__gt=clock.now())
    return list(found.values_list("device", "started_at"))


def subjects() -> set[UUID]:
    """Return the pseudonyms of all customers."""
    return set(Customer.objects.values_list("id", flat=True))


def confirmed_subjects() -> set[UUID]:
    """Return the pseudonyms of the customers whose address is confirmed."""
    return set(Customer.objects.filter(confirmed_at__isnull=False).values_list("id", flat=True))


def profile_email(found: Customer, *, warrant: Warrant) -> str:
    """Return the address of a customer alone, its opening journalled."""
    return vault.open_field(subject=found.id, field=EMAIL_FIELD, sealed=bytes(found.email_sealed), warrant=warrant)


def existing(subjects: set[UUID]) -> set[UUID]:
    """Return those of some pseudonyms whose account is still there."""
    return set(Customer.objects.filter(id__in=subjects).values_list("id", flat=True))


def kept_passwords() -> tuple[int, int]:
    """Return how many passwords are kept, and how many of them are anything but an Argon2id hash."""
    kept = [one for one in Customer.objects.values_list("password", flat=True) if one and not one.startswith("!")]
    return len(kept), sum(not one.startswith("argon2$argon2id$") for one in kept)
