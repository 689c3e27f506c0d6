"""The verbs of a report of a weakness: received, acknowledged, closed, forgotten (clauses 4.3.b and 10.3)."""

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.reference import new_reference
from headshotly.proof import weakness_states
from headshotly.proof.errors import Incomplete, NotFound, NotNow
from headshotly.proof.models import Thanks, WeaknessReport
from headshotly.proof.weakness_states import Channel, Outcome, Severity, State
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant

KEPT_AFTER_CLOSING = dt.timedelta(days=731)
LONGEST_WORDS = 20_000
LONGEST_LINE = 300
LONGEST_THANKS = 80
_LABEL = "proof.words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a reporter told us; sealed under a key of its own.

    Attributes:
        text: what is weak, and how to see it.
        where: address or part of the service.
        name: what they call themselves.
        email: where to answer; may be empty.
        thank_as: the name to be thanked by in public; empty means not to be named.
        subject: of a mail.
        attachments: names of the files in a mail.
        encrypted: it came encrypted to our key.
    """

    text: str
    where: str = ""
    name: str = ""
    email: str = ""
    thank_as: str = ""
    subject: str = ""
    attachments: tuple[str, ...] = ()
    encrypted: bool = False


def _check(words: Words) -> None:
    if not words.text.strip():
        raise Incomplete("Please write what is weak and how you saw it.")
    if len(words.text) > LONGEST_WORDS:
        raise Incomplete(f"Please use at most {LONGEST_WORDS} characters; more can come by mail.")
    if any(len(line) > LONGEST_LINE for line in (words.where, words.name, words.email, words.subject)):
        raise Incomplete(f"One of the short fields holds more than {LONGEST_LINE} characters.")
    if words.email and ("@" not in words.email or any(mark in words.email for mark in "\r\n,; ")):
        raise Incomplete("That is no e-mail address. Leave it empty if you want no answer.")
    if len(words.thank_as) > LONGEST_THANKS:
        raise Incomplete(f"Please choose a name of at most {LONGEST_THANKS} characters to be thanked by.")


@enforces("10.3")
def receive(*, actor: Actor, channel: Channel, words: Words, raw: bytes = b"") -> WeaknessReport:
    """Take in a report; its clock runs from this moment.

    The reporter gets a pseudonym and a key of their own, made before the row: a crash in between leaves a key that
    opens nothing. A mail that is taken twice is one report, found by its hash.

    Args:
        actor: who brought it.
        channel: which way it came.
        words: what it says.
        raw: of a mail, the whole of it, which is sealed beside the words.

    Raises:
        Incomplete: there are no words, or too many.
    """
    _check(words)
    source = hashlib.sha256(raw).digest() if raw else None
    known = _known(source)
    if known is not None:
        return known
    subject, moment = uuid4(), clock.now()
    vault.create_customer_key(actor=actor, subject=subject)
    try:
        with transaction.atomic():
            original = _seal_original(actor, subject, raw)
            made = WeaknessReport.objects.create(
                reference=new_reference("V"),
                subject=subject,
                channel=channel,
                source_sha256=source,
                answerable=bool(words.email),
                received_at=moment,
                acknowledge_by=weakness_states.acknowledge_by(moment, zone=_zone()),
                original=original,
                words=vault.seal_field(subject=subject, field=_LABEL, text=json.dumps(asdict(words))),
            )
            _journal(actor, Act.WEAKNESS_REPORTED, made)
    except IntegrityError:
        # Another machine recorded the same mail meanwhile. Our key opens nothing and goes.
        vault.shred_key(actor=actor, subject=subject)
        known = _known(source)
        if known is None:
            raise
        return known
    return made


def _known(source: bytes | None) -> WeaknessReport | None:
    return WeaknessReport.objects.filter(source_sha256=source).first() if source else None


def _seal_original(actor: Actor, subject: UUID, raw: bytes) -> UUID | None:
    if not raw:
        return None
    return vault.seal(actor=actor, subject=subject, kind="weakness-report", purpose="weakness-reports", plaintext=raw)


def _zone() -> str:
    return configuration.current().operator.time_zone


def _journal(actor: Actor, act: Act, report: WeaknessReport) -> None:
    audit.record(actor=actor, act=act, subject=report.subject, purpose=report.reference)


def report(report_id: UUID) -> WeaknessReport:
    """Return one report.

    Raises:
        NotFound: there is none.
    """
    found = WeaknessReport.objects.filter(id=report_id).first()
    if found is None:
        raise NotFound("There is no such report.")
    return found


def read_words(*, report: WeaknessReport, warrant: Warrant) -> Words:
    """Return what the reporter wrote; the opening is journalled.

    Raises:
        NotFound: it was forgotten.
    """
    if report.words is None:
        raise NotFound("What was written is gone; only the dates are kept.")
    fields = json.loads(report.words.open(warrant))
    return Words(**{**fields, "attachments": tuple(fields["attachments"])})


@enforces("10.3", "4.3.b")
def acknowledge(*, actor: Actor, report_id: UUID, severity: Severity) -> WeaknessReport:
    """Record that a person read a report and judged it; the limit for fixing runs from here.

    Raises:
        NotFound: there is no such report.
        NotNow: it was acknowledged already.
    """
    moment = clock.now()
    with transaction.atomic():
        changed = WeaknessReport.objects.filter(id=report_id, state=State.RECEIVED).update(
            state=State.ACKNOWLEDGED,
            severity=severity,
            acknowledged_at=moment,
            acknowledged_by=actor.id,
            fix_by=weakness_states.fix_by(moment, severity, zone=_zone()),
        )
        found = report(report_id)
        if not changed:
            raise NotNow("Somebody acknowledged this report already.")
        _journal(actor, Act.WEAKNESS_ACKNOWLEDGED, found)
    return found


@enforces("4.3.b")
def close(*, actor: Actor, report_id: UUID, outcome: Outcome, thank_as: str = "", for_what: str = "") -> WeaknessReport:
    """Close an acknowledged report, and thank whoever sent it where they asked for that.

    Args:
        actor: who closes.
        report_id: which.
        outcome: how it ended.
        thank_as: the name the reporter asked to be thanked by; empty thanks nobody in public.
        for_what: what they found, in a line the public may read.

    Raises:
        NotFound: there is no such report.
        NotNow: it is not acknowledged, or closed already.
        Incomplete: a name without what it is thanked for.
    """
    if len(thank_as) > LONGEST_THANKS or (thank_as and not for_what.strip()):
        raise Incomplete("To thank somebody in public, write a line about what they found.")
    moment = clock.now()
    with transaction.atomic():
        changed = WeaknessReport.objects.filter(id=report_id, state=State.ACKNOWLEDGED).update(
            state=State.CLOSED, outcome=outcome, closed_at=moment, closed_by=actor.id
        )
        found = report(report_id)
        if not changed:
            raise NotNow("A report is acknowledged first, and closed once.")
        if thank_as:
            Thanks.objects.create(
                report=found, display_name=thank_as, for_what=for_what[:160], thanked_on=moment.date()
            )
        _journal(actor, Act.WEAKNESS_CLOSED, found)
    return found


def withdraw_thanks(*, actor: Actor, thanks_id: UUID) -> None:
    """Take somebody out of the hall of thanks because they want that.

    Raises:
        NotFound: there is no such entry.
    """
    with transaction.atomic():
        gone, _ = Thanks.objects.filter(id=thanks_id).delete()
        if not gone:
            raise NotFound("There is no such entry.")
        audit.record(actor=actor, act=Act.THANKS_WITHDRAWN, purpose=str(thanks_id))


@enforces("1.1.d")
def forget_old() -> int:
    """Destroy the key of every report closed 24 months ago: its words and its mail are gone with it.

    The key goes before the row changes; a crash in between does it again.

    Returns:
        How many reports were forgotten.
    """
    limit = clock.now() - KEPT_AFTER_CLOSING
    gone = 0
    for old in WeaknessReport.objects.filter(closed_at__lt=limit, words__isnull=False):
        vault.shred(actor=SYSTEM, subject=old.subject)
        with transaction.atomic():
            WeaknessReport.objects.filter(id=old.id).update(words=None, original=None, source_sha256=None)
            _journal(SYSTEM, Act.WEAKNESS_FORGOTTEN, old)
        gone += 1
    return gone
