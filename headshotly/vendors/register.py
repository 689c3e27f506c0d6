"""Keeping the register of vendors (clauses 9.1.a, 9.1.b, 9.1.c, 9.2): propose, approve, record papers, assess, end.

Nobody decides about what they proposed; the database refuses it as well. A change of an approved vendor is a new
version that somebody else approves; until then the old one holds.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vendors import questionnaire
from headshotly.vendors.categories import CATEGORIES
from headshotly.vendors.errors import RegisterRefused, VendorMissing
from headshotly.vendors.models import Paper, State, Tier, Vendor, VendorAssessment, VendorDocument
from headshotly.vendors.regions import EU_COUNTRIES, EU_REGIONS

_SLUG = re.compile(r"[a-z][a-z0-9-]{1,38}")
_HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REGION = re.compile(r"[A-Z]{2}|[a-z]{2,4}(-[a-z]+)+-\d")


def _who(actor: Actor) -> str:
    """Return how the register names a person: staff by pseudonym, the operator's people by the name they gave."""
    if actor.kind == "staff" and actor.id is not None:
        return f"staff:{actor.id}"
    if actor.kind == "system" and actor.role:
        return f"operator:{actor.role}"
    raise RegisterRefused("Only a member of staff, or the operator by name, keeps the register.")


def _checked_hosts(hosts: Sequence[str]) -> list[str]:
    wrong = [host for host in hosts if not _HOST.fullmatch(host)]
    if wrong or not hosts:
        raise RegisterRefused(
            f"“{wrong[0]}” is no host name; write api.example.com or *.example.com."
            if wrong
            else "Please name at least one host the vendor is reached at."
        )
    return sorted(set(hosts))


def _checked_places(places: Sequence[str]) -> list[str]:
    wrong = [place for place in places if not _REGION.fullmatch(place)]
    if wrong or not places:
        raise RegisterRefused(
            "Please name where the vendor processes: regions such as eu-west-1, or countries such as IE."
        )
    return sorted(set(places))


@enforces("9.1.a", "2.2")
def propose(
    *,
    actor: Actor,
    slug: str,
    name: str,
    purpose: str,
    tier: str,
    categories: Sequence[str],
    regions: Sequence[str],
    hosts: Sequence[str],
    subprocessors: Sequence[Mapping[str, str]] = (),
    website: str = "",
) -> Vendor:
    """Propose a vendor, or a new version of one; nothing goes there before somebody else approves it.

    Args:
        actor: who proposes.
        slug: stable short name, such as ``stripe``.
        name: as people know it.
        purpose: what it is for, in one sentence.
        tier: ``critical``, ``important`` or ``ordinary``.
        categories: kinds of personal data it shall receive (``categories.CATEGORIES``); empty for none.
        regions: AWS regions or ISO countries where it processes.
        hosts: exact host names, or ``*.example.com`` for all below a name.
        subprocessors: each with ``name``, ``country`` and ``purpose``.
        website: for people who want to know more.

    Raises:
        RegisterRefused: something is missing or wrong, or personal data would leave the Union.
    """
    who = _who(actor)
    if not _SLUG.fullmatch(slug) or tier not in Tier.values or not (name.strip() and purpose.strip()):
        raise RegisterRefused("Please give a short name, a name, a purpose and how much depends on the vendor.")
    unknown = sorted(set(categories) - set(CATEGORIES))
    if unknown:
        raise RegisterRefused(f"“{unknown[0]}” is none of the kinds of data the house knows.")
    outside = [place for place in regions if place not in EU_REGIONS | EU_COUNTRIES]
    if categories and outside:
        raise RegisterRefused(f"Personal data stays in the European Union, and {outside[0]} lies outside.")
    if any(not one.get("name") or one.get("country") not in EU_COUNTRIES for one in subprocessors) and categories:
        raise RegisterRefused("Every sub-processor needs a name, and a country in the European Union.")
    with transaction.atomic():
        made = Vendor.objects.create(
            slug=slug,
            name=name.strip(),
            purpose=purpose.strip(),
            website=website.strip(),
            tier=tier,
            categories=sorted(set(categories)),
            regions=_checked_places(regions),
            hosts=_checked_hosts(hosts),
            subprocessors=[dict(one) for one in subprocessors],
            proposed_by=who,
            proposed_at=clock.now(),
        )
        audit.record(actor=actor, act=Act.VENDOR_PROPOSED, purpose=slug)
    return made


@enforces("9.1.a")
def approve(*, actor: Actor, vendor_id: UUID) -> Vendor:
    """Approve a proposed version; it replaces the one in force.

    Raises:
        VendorMissing: there is no such proposal.
        RegisterRefused: it is one's own proposal, or there is no approved assessment yet.
    """
    who = _who(actor)
    with transaction.atomic():
        found = _proposal(vendor_id)
        if found.proposed_by == who:
            raise RegisterRefused("Somebody other than the one who proposed a vendor approves it.")
        assessment = newest_assessment(found.slug)
        if assessment is None:
            raise RegisterRefused("The vendor needs an approved assessment first.")
        questionnaire.score(assessment.answers, tier=found.tier)
        Vendor.objects.filter(slug=found.slug, state=State.APPROVED).update(state=State.REPLACED, ended_at=clock.now())
        found.state, found.decided_by, found.decided_at = State.APPROVED, who, clock.now()
        found.save()
        audit.record(actor=actor, act=Act.VENDOR_APPROVED, purpose=found.slug)
    return found


def refuse(*, actor: Actor, vendor_id: UUID, because: str) -> None:
    """Refuse a proposal, with the reason.

    Raises:
        VendorMissing: there is no such proposal.
        RegisterRefused: it is one's own, or there is no reason.
    """
    who = _who(actor)
    if not because.strip():
        raise RegisterRefused("Please say why.")
    with transaction.atomic():
        found = _proposal(vendor_id)
        if found.proposed_by == who:
            raise RegisterRefused("Somebody other than the one who proposed a vendor decides about it.")
        found.state, found.decided_by, found.decided_at = State.REFUSED, who, clock.now()
        found.because = because.strip()[:300]
        found.save()
        audit.record(actor=actor, act=Act.VENDOR_REFUSED, purpose=found.slug)


def end(*, actor: Actor, slug: str, because: str) -> None:
    """End the use of a vendor at once: from here on nothing goes there.

    Raises:
        VendorMissing: no such vendor is in use.
        RegisterRefused: there is no reason.
    """
    _who(actor)
    if not because.strip():
        raise RegisterRefused("Please say why.")
    with transaction.atomic():
        changed = Vendor.objects.filter(slug=slug, state=State.APPROVED).update(
            state=State.ENDED, ended_at=clock.now(), because=because.strip()[:300]
        )
        if not changed:
            raise VendorMissing("No such vendor is in use.")
        audit.record(actor=actor, act=Act.VENDOR_ENDED, purpose=slug)


def _proposal(vendor_id: UUID) -> Vendor:
    found = Vendor.objects.select_for_update().filter(id=vendor_id, state=State.PROPOSED).first()
    if found is None:
        raise VendorMissing("There is no such proposal; somebody may have been faster.")
    return found


@enforces("9.1.b", "9.1.c", "2.1.b")
def record_document(
    *, actor: Actor, slug: str, kind: str, title: str, sha256: str, from_on: dt.date, until_on: dt.date
) -> VendorDocument:
    """Record a paper of a vendor: what it is, its hash, and how long it is good.

    Raises:
        VendorMissing: the register knows no such vendor.
        RegisterRefused: a part is missing or makes no sense.
    """
    who = _who(actor)
    _known(slug)
    if kind not in Paper.values or not title.strip() or not _SHA256.fullmatch(sha256):
        raise RegisterRefused("A document needs its kind, a title, and the SHA-256 of the file in hexadecimal.")
    if until_on < from_on:
        raise RegisterRefused("A document cannot end before it begins.")
    with transaction.atomic():
        made = VendorDocument.objects.create(
            slug=slug,
            kind=kind,
            title=title.strip(),
            sha256=sha256,
            from_on=from_on,
            until_on=until_on,
            recorded_by=who,
            recorded_at=clock.now(),
        )
        audit.record(actor=actor, act=Act.VENDOR_DOCUMENTED, purpose=f"{slug}: {kind} {sha256}")
    return made


@enforces("9.1.a", "9.2")
def assess(*, actor: Actor, slug: str, answers: Mapping[str, str], remarks: str = "") -> VendorAssessment:
    """Answer the questionnaire for a vendor; it counts once somebody else approved it.

    Raises:
        VendorMissing: the register knows no such vendor.
        RegisterRefused: answers are missing, a condition is not met, or the score is too low.
    """
    who = _who(actor)
    found = _known(slug)
    percent = questionnaire.score(answers, tier=found.tier)
    with transaction.atomic():
        made = VendorAssessment.objects.create(
            slug=slug,
            answers={question.id: answers[question.id] for question in questionnaire.questions()},
            score=percent,
            remarks=remarks.strip(),
            assessed_by=who,
            assessed_at=clock.now(),
        )
        audit.record(actor=actor, act=Act.VENDOR_ASSESSED, purpose=f"{slug}: {percent} %")
    return made


@enforces("9.2")
def approve_assessment(*, actor: Actor, assessment_id: UUID) -> None:
    """Approve an assessment; the next one is due a cadence after today.

    Raises:
        VendorMissing: no such assessment waits.
        RegisterRefused: it is one's own.
    """
    who = _who(actor)
    with transaction.atomic():
        found = VendorAssessment.objects.select_for_update().filter(id=assessment_id, approved_by="").first()
        if found is None:
            raise VendorMissing("No such assessment waits for approval.")
        if found.assessed_by == who:
            raise RegisterRefused("Somebody other than the assessor approves an assessment.")
        found.approved_by, found.approved_at = who, clock.now()
        found.save()
        audit.record(actor=actor, act=Act.VENDOR_ASSESSMENT_APPROVED, purpose=f"{found.slug}: {found.score} %")


def newest_assessment(slug: str) -> VendorAssessment | None:
    """Return the newest approved assessment of a vendor."""
    approved = VendorAssessment.objects.filter(slug=slug, approved_at__isnull=False)
    return approved.order_by("-approved_at").first()


def _known(slug: str) -> Vendor:
    known: Any = Vendor.objects.filter(slug=slug, state__in=(State.APPROVED, State.PROPOSED))
    found: Vendor | None = known.order_by("-state", "-proposed_at").first()
    if found is None:
        raise VendorMissing("The register knows no such vendor.")
    return found
