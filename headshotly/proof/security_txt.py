"""What security.txt says and whether one is valid (RFC 9116, clause 10.3); pure."""

import datetime as dt
from dataclasses import dataclass

LIFE = dt.timedelta(days=90)  # well under the year of RFC 9116, section 2.5.5
RENEW_BEFORE = dt.timedelta(days=60)
LONGEST_LIFE = dt.timedelta(days=365)
_ONCE = ("Expires", "Preferred-Languages")
_WEB = ("Encryption", "Acknowledgments", "Canonical", "Policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """What a researcher needs.

    Attributes:
        public_url: address of the service, without trailing slash.
        email: the security address.
    """

    public_url: str
    email: str


def write(contacts: Contacts, *, expires_at: dt.datetime) -> str:
    """Return the unsigned text, line by line as RFC 9116, section 2.5 orders nothing but readers expect.

    Args:
        contacts: where to reach us.
        expires_at: aware; after it nobody may rely on the text.
    """
    url = contacts.public_url
    lines = (
        f"# Weaknesses in this service. Good faith is safe with us: {url}/trust/reporting/",
        f"Contact: {url}/trust/report/",
        f"Contact: mailto:{contacts.email}",
        f"Expires: {expires_at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        f"Encryption: {url}/trust/openpgp-key.asc",
        f"Acknowledgments: {url}/trust/thanks/",
        "Preferred-Languages: en, pl",
        f"Canonical: {url}/.well-known/security.txt",
        f"Policy: {url}/trust/reporting/",
    )
    return "\n".join(lines) + "\n"


def fields(text: str) -> list[tuple[str, str]]:
    """Return name and value of every field, in order; comments and blank lines are left out."""
    found = []
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            found.append((name.strip(), value.strip()))
    return found


def expiry(text: str) -> dt.datetime | None:
    """Return when a text expires, or None where it says no single moment."""
    said = [value for name, value in fields(text) if name.lower() == "expires"]
    try:
        moment = dt.datetime.fromisoformat(said[0]) if len(said) == 1 else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def problems(text: str, *, canonical: str, at: dt.datetime) -> list[str]:
    """Return, in sentences, what keeps an unsigned text from being valid; nothing where it is.

    Args:
        text: the text inside the signature.
        canonical: the address it was fetched from.
        at: the moment of looking.
    """
    known = fields(text)
    values = {name.lower(): value for name, value in known}
    found = []
    contacts = [value for name, value in known if name.lower() == "contact"]
    if not contacts:
        found.append("It names no contact (RFC 9116, 2.5.3).")
    found += [
        f"The contact {value} is neither https: nor mailto:."
        for value in contacts
        if not value.startswith(("https://", "mailto:"))
    ]
    found += [
        f"The field {name} stands in it more than once."
        for name in _ONCE
        if sum(each.lower() == name.lower() for each, _ in known) > 1
    ]
    found += [
        f"The field {name} is no https: address."
        for name in _WEB
        if name.lower() in values and not values[name.lower()].startswith("https://")
    ]
    if canonical not in [value for name, value in known if name.lower() == "canonical"]:
        found.append(f"It does not say that {canonical} is its address (RFC 9116, 2.5.2).")
    return found + _problems_of_time(expiry(text), at)


def _problems_of_time(expires_at: dt.datetime | None, at: dt.datetime) -> list[str]:
    if expires_at is None:
        return ["It says no moment at which it expires (RFC 9116, 2.5.5)."]
    if expires_at <= at:
        return [f"It expired on {expires_at:%Y-%m-%d}."]
    if expires_at - at > LONGEST_LIFE:
        return [f"It expires only on {expires_at:%Y-%m-%d}, more than a year ahead."]
    return []
