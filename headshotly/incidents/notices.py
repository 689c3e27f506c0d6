"""Notices of a breach: drafted from its facts, released as they will stay, sent, and their sending kept.

A draft is computed whenever it is looked at. Releasing freezes it: what it says, the version of its form, and its hash.
"""

import dataclasses
import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.incidents import (
    authority_notice,
    breach_selectors,
    breaches,
    clocks,
    evidence,
    people_letters,
    timeline,
    wording,
)
from headshotly.incidents.consequences import LANGUAGES
from headshotly.incidents.errors import Incomplete, NotFound, NotNow
from headshotly.incidents.models import AffectedPerson, Breach, Decision, Evidence, Notice, NoticePhase, TimelineKind
from headshotly.incidents.notice_facts import Earlier, NoticeFacts
from headshotly.incidents.obligations import Addressee, Standing
from headshotly.policy import clock, configuration
from headshotly.policy.documents import Document, Part, Text, render_pdf
from headshotly.policy.enforcement import enforces
from headshotly.vendors import mail

VERSION_ATTORNEY = "ca-ag-1"
BY_LETTER = frozenset({Addressee.PEOPLE, Addressee.RESIDENTS})
_OFFICER = "Data Protection Officer"


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice as it would be released now.

    Attributes:
        addressee: to whom.
        phase: whether it says everything.
        form: version of the form.
        content: what it says.
        missing: what must be there and is not, in words.
    """

    addressee: Addressee
    phase: NoticePhase
    form: str
    content: dict[str, Any]
    missing: tuple[str, ...]


def facts(breach: Breach) -> NoticeFacts:
    """Gather what the notices are made of."""
    here = configuration.current()
    zone = ZoneInfo(here.operator.time_zone)
    known = breach_selectors.facts_of(breach)
    sent = [one for one in breach_selectors.notices_of(breach) if one.sent_at is not None]
    latest = next(one.latest for one in breach_selectors.obligations_of(breach) if one.addressee is Addressee.AUTHORITY)
    why_not = Decision.objects.filter(
        breach=breach, addressee=Addressee.PEOPLE, approved_at__isnull=False, ended_at__isnull=True
    ).first()
    return NoticeFacts(
        reference=breach.case.reference,
        operator=here.operator,
        officer=here.options.get("dpo.name", _OFFICER),
        aware_at=breach.aware_at,
        began_at=breach.began_at,
        ended_at=breach.ended_at,
        cause=breach.cause,
        confidentiality=breach.spread,
        integrity=breach.integrity,
        availability=breach.availability,
        kinds=frozenset(breach.kinds),
        people=breach.people,
        records=breach.records,
        consequences=tuple(breach.consequences),
        words=breach.words,
        keys=breach.keys,
        keys_because=breach.keys_because,
        risk=breach_selectors.risk_of(breach),
        people_told_at=known.told.get(Addressee.PEOPLE),
        people_told=AffectedPerson.objects.filter(breach=breach).count(),
        people_why_not="" if why_not is None else why_not.get_ground_display(),
        states=tuple(breach.states),
        late_because=breach.late_because,
        late=latest is not None and Addressee.AUTHORITY not in known.told and clock.now() > latest,
        earlier=tuple(
            Earlier(number=one.number, sent_at=one.sent_at or clock.now(), receipt=one.receipt)
            for one in sent
            if one.addressee == Addressee.AUTHORITY
        ),
        delayed=breach.delayed_until is not None,
        zone=zone,
        today=clock.now().astimezone(zone).date(),
    )


@enforces("8.3.a", "8.3.b", "8.3.c")
def draft(breach: Breach, addressee: Addressee, *, phase: NoticePhase = NoticePhase.COMPLETE) -> Draft:
    """Return the notice that would be released now, with what is missing.

    Args:
        breach: which.
        addressee: to whom.
        phase: for the authority; everybody else gets a complete one.
    """
    known = facts(breach)
    match addressee:
        case Addressee.AUTHORITY:
            said = authority_notice.content(known, phase=phase.value)
            missing = authority_notice.missing(said, phase=phase.value)
            return Draft(addressee, phase, authority_notice.VERSION, {"fields": said}, tuple(missing))
        case Addressee.PEOPLE:
            letters = {language: people_letters.to_people(known, language) for language in LANGUAGES}
            content: dict[str, Any] = {language: letter.as_content() for language, letter in letters.items()}
            missing = [
                f"{title} ({language})"
                for language, letter in letters.items()
                for title in people_letters.missing(letter)
            ]
            form = people_letters.VERSION_PEOPLE
        case Addressee.RESIDENTS | Addressee.ATTORNEY_GENERAL:
            letter = people_letters.to_residents(known)
            content, missing = {"en": letter.as_content()}, people_letters.missing(letter)
            form = people_letters.VERSION_CALIFORNIA
            if addressee is Addressee.ATTORNEY_GENERAL:
                form, content = VERSION_ATTORNEY, {**content, "cover": _cover(breach, known)}
    return Draft(addressee, NoticePhase.COMPLETE, form, content, tuple(missing))


def _cover(breach: Breach, known: NoticeFacts) -> dict[str, str]:
    """Return what the Attorney General's online form asks beside the sample copy (1798.82(f)); no names in it."""
    told = breach_selectors.facts_of(breach).told.get(Addressee.RESIDENTS)
    return {
        "Organization": f"{known.operator.name}, {known.operator.postal_address}",
        "Contact": known.operator.privacy_email,
        "Date(s) of breach": " to ".join(known.local(at) or "unknown" for at in (known.began_at, known.ended_at)),
        "Date of discovery": known.local(known.aware_at),
        "Date(s) notice was provided to residents": known.local(told) or "not yet",
        "Number of residents": str(breach_selectors.residents_of(breach)),
        "Delayed by law enforcement": "yes" if known.delayed else "no",
    }


def digest(content: dict[str, Any]) -> str:
    """Return the hash of what a notice says (SHA-256 over canonical JSON, hex)."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@enforces("8.3.a", "8.3.b", "8.3.c")
def release(
    *, actor: Actor, number: int, addressee: Addressee, phase: NoticePhase, more_follows: bool = False
) -> Notice:
    """Freeze a notice as it is now. Letters are queued by the next run of their duty; the others a person sends.

    Args:
        actor: who releases it.
        number: of the case.
        addressee: to whom.
        phase: for the authority: complete, initial, or supplementary to an earlier one.
        more_follows: a supplementary notice that will be supplemented again.

    Raises:
        Incomplete: something that must be there is missing; the refusal names it.
        NotNow: the phase does not fit what went before, nobody is owed a letter, or the case is closed.
    """
    with transaction.atomic():
        breach = breaches.locked(number)
        _phase_fits(breach, addressee, phase)
        drafted = draft(breach, addressee, phase=phase)
        if drafted.missing:
            raise Incomplete(f"Still missing: {', '.join(drafted.missing)}.")
        content = {**drafted.content, "more_follows": more_follows}
        row = Notice.objects.create(
            breach=breach,
            addressee=addressee,
            number=Notice.objects.filter(breach=breach, addressee=addressee).count() + 1,
            phase=drafted.phase,
            form=drafted.form,
            content=content,
            sha256=digest(content),
            released_at=clock.now(),
            released_by=breaches.member_of(actor),
        )
        words = f"Notice {row.number} to {addressee.label.lower()}, {drafted.phase.label.lower()}, SHA-256 {row.sha256}"
        timeline.write(actor=actor, case=breach.case, kind=TimelineKind.NOTICE, words=words, act=Act.NOTICE_RELEASED)
    return row


def _phase_fits(breach: Breach, addressee: Addressee, phase: NoticePhase) -> None:
    before = Notice.objects.filter(breach=breach, addressee=addressee)
    if addressee in BY_LETTER:
        if before.exists():
            raise NotNow("Their letters were released already; whoever is added to the breach later gets them too.")
        owed = {one.addressee: one for one in breach_selectors.obligations_of(breach)}[addressee]
        if owed.standing is Standing.NOT_OWED:
            raise NotNow(f"No letter is owed: {owed.words}.")
        if (
            addressee is Addressee.RESIDENTS
            and breach.delayed_until
            and breach.delayed_until >= clock.now().astimezone(clocks.PACIFIC).date()
        ):
            raise NotNow(f"Law enforcement asked to wait until {breach.delayed_until}.")
        return
    earlier = before.filter(sent_at__isnull=False).exists()
    if addressee is Addressee.AUTHORITY and (phase is NoticePhase.SUPPLEMENTARY) != earlier:
        raise NotNow("A supplementary notice follows one that was sent; the first is complete or initial.")
    if before.filter(sent_at__isnull=True).exists():
        raise NotNow("A notice that was released waits to be sent first.")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What an authority gave for a notice: its bytes, and what kind of file it was said to be."""

    data: bytes
    media_type: str = ""


def _keep(confirmation: Confirmation, actor: Actor, row: Notice) -> Evidence:
    """Seal a confirmation. Where the sending is then not recorded, the row goes too and the vault sweeps the object."""
    title = f"Confirmation of notice {row.number} to {Addressee(row.addressee).label.lower()}"
    return evidence.add(
        actor=actor, number=row.breach.case_id, title=title, data=confirmation.data, media_type=confirmation.media_type
    )


@enforces("8.3.a", "8.3.c")
def record_sent(
    *,
    actor: Actor,
    notice_id: UUID,
    how: str,
    receipt: str,
    sent_at: dt.datetime | None = None,
    confirmation: Confirmation | None = None,
) -> Notice:
    """Record that a person sent a notice to an authority, which way, and the receipt for it.

    Args:
        actor: who sent it.
        notice_id: which.
        how: through what, such as ``biznes.gov.pl``.
        receipt: the number the authority gave.
        sent_at: when, if not now.
        confirmation: the authority's own paper about it, such as an UPO; sealed as evidence of the case.

    Raises:
        Incomplete: it is not said which way, there is no receipt, or the confirmation is empty or too large.
        NotFound: there is none of this id to be sent by hand.
        NotNow: it was sent already, or the moment does not lie between release and now.
    """
    way, number = (
        wording.checked(how, what="Which way", longest=160),
        wording.checked(receipt, what="Receipt", longest=160),
    )
    row = Notice.objects.select_related("breach__case").filter(id=notice_id).first()
    if row is None or row.addressee in BY_LETTER:
        raise NotFound("There is no such notice to be sent by hand.")
    moment = sent_at or clock.now()
    if moment > clock.now() or moment < row.released_at:
        raise NotNow("A notice is sent after it is released, and not in the future.")
    with transaction.atomic():
        kept = _keep(confirmation, actor, row) if confirmation is not None else None
        fresh = Notice.objects.filter(id=row.id, sent_at__isnull=True)
        if not fresh.update(sent_at=moment, sent_by=actor.id, sent_how=way, receipt=number, confirmation=kept):
            raise NotNow("It was sent already.")
        words = f"Sent: notice {row.number} to {Addressee(row.addressee).label.lower()}, {way}, receipt {number}"
        timeline.write(
            actor=actor, case=row.breach.case, kind=TimelineKind.NOTICE, words=words, act=Act.NOTICE_SENT,
            happened_at=moment,
        )  # fmt: skip
    row.refresh_from_db()
    return row


def get(notice_id: UUID) -> Notice:
    """Return a notice.

    Raises:
        NotFound: there is none.
    """
    found = Notice.objects.select_related("breach__case").filter(id=notice_id).first()
    if found is None:
        raise NotFound("There is no such notice.")
    return found


def _lead(reference: str, stamp: str, language: str) -> tuple[str, ...]:
    words = {"en": "Reference", "pl": "Znak sprawy"}[language]
    return (f"{words}: {reference}", stamp)


def document_of(
    addressee: Addressee, form: str, content: dict[str, Any], *, language: str, reference: str, stamp: str
) -> Document:
    """Return a notice or a draft as pages.

    Args:
        addressee: to whom.
        form: version it was made in.
        content: what it says.
        language: ``en`` or ``pl``; the Californian ones are English.
        reference: of the case.
        stamp: a line under the title, such as the hash, or that it is a draft.

    Raises:
        NotFound: it does not exist in this language.
    """
    lead = _lead(reference, stamp, language)
    if addressee is Addressee.AUTHORITY:
        return authority_notice.document(content["fields"], form=form, language=language, lead=lead)
    if language not in content:
        raise NotFound("This notice does not exist in this language.")
    letter = people_letters.read(content[language])
    if addressee is Addressee.PEOPLE:
        return people_letters.document(letter, language=language, lead=lead)
    made = people_letters.document(letter, language="en", lead=lead, points=people_letters.CALIFORNIA_POINTS)
    if addressee is Addressee.ATTORNEY_GENERAL:
        cover = Part("Submission", tuple(Text(f"{name}: {value}") for name, value in content["cover"].items()))
        made = dataclasses.replace(made, parts=(cover, *made.parts))
    return made


@enforces("8.3.a", "8.3.b", "8.3.c")
def pdf_of(row: Notice, *, language: str) -> bytes:
    """Return a released notice as PDF; the same bytes every time."""
    stamp = f"{row.form}, {row.released_at:%Y-%m-%d %H:%M} UTC, SHA-256 {row.sha256}"
    document = document_of(
        Addressee(row.addressee),
        row.form,
        row.content,
        language=language,
        reference=row.breach.case.reference,
        stamp=stamp,
    )
    return render_pdf(document, operator=configuration.current().operator)


def draft_pdf(breach: Breach, drafted: Draft, *, language: str) -> bytes:
    """Return a draft as PDF, marked as one."""
    document = document_of(
        drafted.addressee,
        drafted.form,
        drafted.content,
        language=language,
        reference=breach.case.reference,
        stamp={"en": "DRAFT, not released", "pl": "PROJEKT, niewysłany"}[language],
    )
    return render_pdf(document, operator=configuration.current().operator)


@enforces("8.3.a")
def mail_to_officer(row: Notice) -> None:
    """Mail a released notice to the Data Protection Officer, as pages and as data, to be sent to the authority.

    Raises:
        MailNotSent: it was not handed over; asking again sends the same mail.
    """
    operator = configuration.current().operator
    languages = ("pl", "en") if row.addressee == Addressee.AUTHORITY else ("en",)
    name = f"{row.breach.case.reference}-{row.addressee}-{row.number}"
    files = [
        mail.Attached(f"{name}-{language}.pdf", "application/pdf", pdf_of(row, language=language))
        for language in languages
    ]
    data = json.dumps(row.content, ensure_ascii=False, indent=1).encode()
    files.append(mail.Attached(f"{name}.json", "application/json", data))
    mail.send(
        to=operator.privacy_email,
        subject=f"To be sent: {row.breach.case.reference}, notice {row.number} to {Addressee(row.addressee).label}",
        text="The notice is attached as pages and as data. Send it to the authority, then record the receipt:\n"
        f"{configuration.current().public_url}/staff/incidents/breaches/{row.breach.case.number}/",
        about=None,
        once=row.id,
        attached=files,
    )
