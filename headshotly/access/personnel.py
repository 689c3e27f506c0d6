"""The people checks that bite (clauses 4.1.b, 5.1.b, 5.2): any one missing or expired, and nothing is granted."""

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from headshotly.access.errors import RecordRefused
from headshotly.access.models import Personnel, StaffMember
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock, dates
from headshotly.policy.enforcement import enforces

_AGREEMENTS = Path(__file__).resolve().parent / "agreements"
_SHA256 = re.compile(r"[0-9a-f]{64}")
LONGEST_VALID = dt.timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The confidentiality agreement in force.

    Attributes:
        version: the date it took effect.
        text: word for word.
        sha256: hash of the text, in hex; what a signature names.
    """

    version: str
    text: str
    sha256: str

    @property
    def under_its_title(self) -> str:
        """Return the text as a page shows it, which has the title already."""
        return self.text.partition("\n")[2].strip() if self.text.startswith("# ") else self.text


def agreement() -> Agreement:
    """Return the agreement in force: the newest one."""
    path = max(_AGREEMENTS.glob("*.md"))
    text = path.read_text(encoding="utf-8")
    return Agreement(version=path.stem, text=text, sha256=hashlib.sha256(text.encode()).hexdigest())


def record_of(member: StaffMember) -> Personnel:
    """Return a member's record; an empty one where nothing was recorded."""
    return Personnel.objects.filter(member=member).first() or Personnel(member=member)


@enforces("4.1.b", "5.1.b", "5.2")
def has_signed(member: StaffMember) -> bool:
    """Say whether a member signed the agreement that is in force."""
    return record_of(member).agreement_sha256 == agreement().sha256


def gaps(member: StaffMember) -> tuple[str, ...]:
    """Return what stands between a member and any grant, in plain words; empty means nothing does."""
    record, today = record_of(member), dates.today()
    found = []
    if record.screening_expires_on is None:
        found.append("no background check is recorded")
    elif record.screening_expires_on <= today:
        found.append("the background check has expired")
    if record.agreement_signed_at is None:
        found.append("the confidentiality agreement is not signed")
    elif record.agreement_sha256 != agreement().sha256:
        found.append("the confidentiality agreement has a new version to sign")
    if record.training_expires_on is None:
        found.append("no secure-coding training is recorded")
    elif record.training_expires_on <= today:
        found.append("the secure-coding training has expired")
    if member.enrolled_at is None or not member.is_active:
        found.append("there is no second factor, or the account is closed")
    return tuple(found)


def _period(passed_on: dt.date, expires_on: dt.date) -> None:
    if not passed_on <= dates.today() < expires_on <= passed_on + LONGEST_VALID:
        raise RecordRefused("It must have been passed by today, expire in the future, and be valid five years at most.")


def _not_oneself(actor: Actor, member: StaffMember) -> None:
    if actor.id == member.id:
        raise RecordRefused("Nobody writes their own record.")


def record_screening(
    *, actor: Actor, member: StaffMember, passed_on: dt.date, expires_on: dt.date, provider: str, report_sha256: str
) -> None:
    """Record that somebody passed their background check.

    Args:
        actor: who records it; not the member themselves.
        member: who was screened.
        passed_on: when.
        expires_on: from this day on it no longer counts.
        provider: who screened.
        report_sha256: hash of the report, in hex; the report itself is never kept.

    Raises:
        RecordRefused: a part is missing or makes no sense.
    """
    _not_oneself(actor, member)
    _period(passed_on, expires_on)
    if not provider.strip() or not _SHA256.fullmatch(report_sha256):
        raise RecordRefused("Please give the provider and the report's SHA-256 (64 hex digits), never the report.")
    _write(
        actor,
        member,
        "screening",
        screening_passed_on=passed_on,
        screening_expires_on=expires_on,
        screening_provider=provider.strip()[:80],
        screening_report_sha256=report_sha256,
    )


def record_training(*, actor: Actor, member: StaffMember, passed_on: dt.date, expires_on: dt.date) -> None:
    """Record that somebody passed their secure-coding training.

    Raises:
        RecordRefused: the dates make no sense, or it is one's own record.
    """
    _not_oneself(actor, member)
    _period(passed_on, expires_on)
    _write(actor, member, "training", training_passed_on=passed_on, training_expires_on=expires_on)


def sign_agreement(*, member: StaffMember, sha256: str) -> None:
    """Record that a member signed the text they were shown.

    Raises:
        RecordRefused: another version took effect while they were reading.
    """
    here = agreement()
    if sha256 != here.sha256:
        raise RecordRefused("The agreement has changed meanwhile. Please read the new version.")
    actor = Actor(kind="staff", id=member.id, role=member.role)
    _write(
        actor,
        member,
        "agreement",
        agreement_version=here.version,
        agreement_sha256=here.sha256,
        agreement_signed_at=clock.now(),
    )


def _write(actor: Actor, member: StaffMember, what: str, **columns: object) -> None:
    with transaction.atomic():
        Personnel.objects.update_or_create(member=member, defaults=columns)
        audit.record(actor=actor, act=Act.PERSONNEL_RECORDED, subject=member.id, purpose=what)
