"""A register with something on it, and the real gate."""

import datetime as dt

import pytest

from headshotly.audit.actor import Actor
from headshotly.policy import dates
from headshotly.vendors import gate, questionnaire, register
from headshotly.vendors.models import Vendor

ONE, OTHER = Actor(kind="system", role="founder-1"), Actor(kind="system", role="founder-2")
GOOD = {question.id: "yes" for question in questionnaire.questions()}
ENTRY = {
    "slug": "stripe",
    "name": "Stripe Payments Europe, Limited",
    "purpose": "Takes payments.",
    "tier": "critical",
    "categories": ["order and payment references"],
    "regions": ["IE"],
    "hosts": ["api.stripe.com", "*.files.stripe.example"],
}


@pytest.fixture(autouse=True)
def _outside_is_played() -> None:
    """Here the gate itself is tried, so nothing is put in its place."""
    gate.forget()
    yield
    gate.forget()


def paper(slug: str, kind: str, *, until: dt.date, begins: dt.date = dt.date(2020, 1, 1)) -> None:
    register.record_document(
        actor=ONE, slug=slug, kind=kind, title="A paper", sha256="0" * 64, from_on=begins, until_on=until
    )


@pytest.fixture
def make_vendor(transactional_db):
    """Bring a vendor onto the register as people would: proposed, assessed, documented, approved."""

    def make(**changed) -> Vendor:
        entry = {**ENTRY, **changed}
        proposed = register.propose(actor=ONE, **entry)
        assessed = register.assess(actor=ONE, slug=entry["slug"], answers=GOOD)
        register.approve_assessment(actor=OTHER, assessment_id=assessed.id)
        later = dates.today() + dt.timedelta(days=300)
        paper(entry["slug"], "agreement", until=later)
        paper(entry["slug"], "soc-2", until=later)
        return register.approve(actor=OTHER, vendor_id=proposed.id)

    return make
