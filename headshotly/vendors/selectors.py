"""Reading the register: how every vendor stands, what waits, what the public may know."""

import datetime as dt
from dataclasses import dataclass

from headshotly.policy import dates
from headshotly.vendors import register
from headshotly.vendors.models import Outflow, Paper, State, Vendor, VendorAssessment, VendorDocument
from headshotly.vendors.standing import Facts, Standing, judge

_REPORTS = (Paper.ISO_27001, Paper.SOC_2, Paper.PCI_DSS, Paper.PHYSICAL)


@dataclass(frozen=True, slots=True)
class Judged:
    """A vendor in force and how it stands today."""

    vendor: Vendor
    facts: Facts
    standing: Standing
    because: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the public list.

    Attributes:
        at: when it was approved or ended.
        vendor: the vendor's name.
        what: in one sentence.
    """

    at: dt.datetime
    vendor: str
    what: str


def _until(slug: str, kinds: tuple[str, ...], day: dt.date) -> dt.date | None:
    """Return the last day covered by papers that have begun."""
    begun = VendorDocument.objects.filter(slug=slug, kind__in=kinds, from_on__lte=day)
    return begun.order_by("-until_on").values_list("until_on", flat=True).first()


def facts_of(vendor: Vendor) -> Facts:
    """Return everything the gate judges a vendor by."""
    day = dates.today()
    assessment = register.newest_assessment(vendor.slug)
    assessed = dates.day_of(assessment.approved_at) if assessment and assessment.approved_at else None
    return Facts(
        name=vendor.name,
        approved=vendor.state == State.APPROVED,
        tier=vendor.tier,
        categories=tuple(vendor.categories),
        regions=tuple(vendor.regions),
        agreement_until=_until(vendor.slug, (Paper.AGREEMENT,), day),
        evidence_until=_until(vendor.slug, _REPORTS, day),
        assessed_on=assessed,
    )


def judged(vendor: Vendor) -> Judged:
    """Return a vendor with its standing of today."""
    facts = facts_of(vendor)
    standing, because = judge(facts, today=dates.today())
    return Judged(vendor, facts, standing, because)


def in_use() -> list[Judged]:
    """Return every vendor in force with its standing, by name."""
    return [judged(one) for one in Vendor.objects.filter(state=State.APPROVED).order_by("name")]


def proposed() -> list[Vendor]:
    """Return the versions that wait for a decision, oldest first."""
    return list(Vendor.objects.filter(state=State.PROPOSED).order_by("proposed_at"))


def waiting_assessments() -> list[VendorAssessment]:
    """Return the assessments that wait for approval, oldest first."""
    return list(VendorAssessment.objects.filter(approved_by="").order_by("assessed_at"))


def documents_of(slug: str) -> list[VendorDocument]:
    """Return a vendor's papers, the longest valid first."""
    return list(VendorDocument.objects.filter(slug=slug).order_by("-until_on"))


def outflows() -> list[Outflow]:
    """Return what kind of data went where, by vendor."""
    return list(Outflow.objects.order_by("vendor", "host", "category"))


def strays() -> list[Outflow]:
    """Return outflows that no version of the register, past or present, ever allowed: there must be none."""
    allowed: dict[str, set[str]] = {}
    for slug, categories in (
        Vendor.objects.exclude(decided_by="").exclude(state=State.REFUSED).values_list("slug", "categories")
    ):
        allowed.setdefault(slug, set()).update(categories)
    return [one for one in outflows() if (one.category and one.category not in allowed.get(one.vendor, set()))
            or one.vendor not in allowed]  # fmt: skip


def changes() -> list[Change]:
    """Return every change of the public list of vendors, the newest first."""
    found: list[Change] = []
    before: dict[str, Vendor] = {}
    decided = Vendor.objects.exclude(state__in=(State.PROPOSED, State.REFUSED)).order_by("decided_at")
    for one in decided:
        if one.decided_at is not None:
            found.append(Change(one.decided_at, one.name, _difference(before.get(one.slug), one)))
        before[one.slug] = one
        if one.state == State.ENDED and one.ended_at is not None:
            found.append(Change(one.ended_at, one.name, "is not used any more."))
    return sorted(found, key=lambda change: change.at, reverse=True)


def _difference(old: Vendor | None, new: Vendor) -> str:
    if old is None or old.state == State.ENDED:
        return f"was added: {new.purpose}"
    parts = []
    for label, was, now in (
        ("data", old.categories, new.categories),
        ("regions", old.regions, new.regions),
        ("sub-processors", [one["name"] for one in old.subprocessors], [one["name"] for one in new.subprocessors]),
    ):
        if was != now:
            parts.append(f"{label}: {', '.join(was) or 'none'} → {', '.join(now) or 'none'}")
    return f"changed: {'; '.join(parts)}" if parts else "was looked at again; nothing public changed."


def waiting_for(who: str) -> int:
    """Return how many decisions wait for somebody: proposals and assessments that are not their own.

    Args:
        who: ``staff:<pseudonym>``.
    """
    mine = [one.proposed_by for one in proposed()] + [one.assessed_by for one in waiting_assessments()]
    return sum(by != who for by in mine)
