"""The privacy notice (GDPR Art. 13) and the notice at collection (Cal. Civ. Code 1798.100), from the declarations.

Nothing here is written by hand about what is processed: a feature that declares something new changes the notice.
"""

import hashlib
import json
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import override

from headshotly.policy.enforcement import enforces
from headshotly.policy.operator import Operator
from headshotly.purposes.declarations import Activity, LegalBasis, activities

STAFF_ONLY = frozenset({"staff"})
AUTHORITY = "Prezes Urzędu Ochrony Danych Osobowych, ul. Moniuszki 1A, 00-014 Warszawa, uodo.gov.pl"
CALIFORNIA_AUTHORITY = "California Privacy Protection Agency, cppa.ca.gov/complaint"


@dataclass(frozen=True, slots=True)
class Line:
    """One activity as a customer reads it, every cell in words of the language in force."""

    title: str
    purpose: str
    data: str
    basis: str
    source: str
    recipients: str
    transfers: str
    retention: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What the law wants said before data is collected.

    Attributes:
        controller: who answers for it, with the postal address.
        officer: how to reach the Data Protection Officer.
        lines: what is processed, one activity each.
        interests: which legitimate interests are relied on.
        authority: where to complain.
        sha256: hash of everything the notice says in English; two notices with one hash say the same.
    """

    controller: str
    officer: str
    lines: tuple[Line, ...]
    interests: tuple[str, ...]
    authority: str
    sha256: str


def about_customers() -> list[Activity]:
    """Return the activities that concern anybody but staff."""
    return [one for one in activities() if set(one.people) - STAFF_ONLY]


def _words(values: tuple[str, ...], otherwise: str) -> str:
    return ", ".join(_(value) for value in values) or otherwise


def line_of(activity: Activity) -> Line:
    """Return one activity in words."""
    return Line(
        title=_(activity.title),
        purpose=_(activity.purpose),
        data=_words(activity.data, ""),
        basis=_(activity.basis.value),
        source=_(activity.source),
        recipients=_words(activity.recipients, _("nobody outside")),
        transfers=_words(activity.transfers, _("none")),
        retention=_(activity.retention),
    )


@enforces("1.2.e")
def privacy_notice(operator: Operator) -> Notice:
    """Return the privacy notice in the language in force.

    Args:
        operator: the controller.
    """
    shown = about_customers()
    interests = [one for one in shown if one.basis is LegalBasis.LEGITIMATE_INTEREST]
    return Notice(
        controller=f"{operator.name}, {operator.postal_address}",
        officer=operator.privacy_email,
        lines=tuple(line_of(one) for one in shown),
        interests=tuple(_(one.purpose) for one in interests),
        authority=AUTHORITY,
        sha256=_fingerprint(operator),
    )


def _fingerprint(operator: Operator) -> str:
    return hashlib.sha256(in_words(operator).encode()).hexdigest()


def in_words(operator: Operator) -> str:
    """Return the English notice as plain lines, for publishing, comparing and keeping."""
    with override("en"):
        said = [f"Controller: {operator.name}, {operator.postal_address}", f"Contact: {operator.privacy_email}"]
        for one in about_customers():
            line = line_of(one)
            said += [
                f"{line.title}: {line.purpose}",
                f"{line.title}, data: {line.data}. Source: {line.source}.",
                f"{line.title}, legal basis: {line.basis}. Kept: {line.retention}",
                f"{line.title}, recipients: {line.recipients}. Transfers: {line.transfers}.",
            ]
    return "\n".join(said) + "\n"


def as_json(operator: Operator) -> str:
    """Return the notice for machines."""
    notice = privacy_notice(operator)
    document = {
        "controller": notice.controller,
        "contact": notice.officer,
        "sold": False,
        "shared_for_advertising": False,
        "activities": [{name: getattr(line, name) for name in Line.__slots__} for line in notice.lines],
        "sha256": notice.sha256,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
