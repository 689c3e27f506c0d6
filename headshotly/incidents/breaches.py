"""The verbs of a breach: recorded, scoped from the journal, judged, decided about (clause 8.3)."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from headshotly.accounts import selectors as customers
from headshotly.audit import selectors as journal
from headshotly.audit import sequencing, verification
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.audit.errors import JournalDamaged
from headshotly.incidents import assessment, breach_selectors, cases, clocks, data_kinds, residence, timeline, wording
from headshotly.incidents import scope as scopes
from headshotly.incidents.assessment import Circumstances, Harm, Risk, Spread
from headshotly.incidents.consequences import CONSEQUENCES, LANGUAGES
from headshotly.incidents.errors import Incomplete, NeedsAnother, NotFound, NotNow
from headshotly.incidents.models import (
    AffectedPerson,
    Breach,
    Case,
    Cause,
    Decision,
    Ground,
    Judgement,
    Keys,
    TimelineKind,
)
from headshotly.incidents.notice_facts import PARTS
from headshotly.incidents.obligations import Addressee
from headshotly.incidents.scope import Query
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.studio import selectors as studio
from headshotly.vault import selectors as vault

_BATCH = 500
_STATE_CODE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstance:
    """What is known of a breach at a moment; each later statement replaces it whole.

    Attributes:
        aware_at: when the controller became aware, aware UTC; the clocks run from it.
        began_at: when it began, as far as known.
        ended_at: when it ended, as far as known.
        cause: what it came from.
        spread: how far confidential data got.
        integrity: whether data was changed.
        availability: whether data was lost.
        malicious: somebody meant it.
        vulnerable: children or others in need of protection are concerned.
        opened: the data could be read, as an opening through the vault makes it.
        consequences: codes of ``consequences.CONSEQUENCES``.
        states: two-letter codes of other states of the Union.
    """

    aware_at: dt.datetime
    cause: Cause
    spread: Spread
    began_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    integrity: Harm = Harm.NONE
    availability: Harm = Harm.NONE
    malicious: bool = False
    vulnerable: bool = False
    opened: bool = True
    consequences: tuple[str, ...] = ()
    states: tuple[str, ...] = field(default=())

    def checked(self) -> dict[str, Any]:
        """Return the columns.

        Raises:
            Incomplete: a time lies ahead or in the wrong order, or a code is none.
        """
        now = clock.now()
        if self.aware_at > now or (self.began_at is not None and self.began_at > self.aware_at):
            raise Incomplete("A breach begins before we become aware of it, and both lie in the past.")
        if self.began_at is not None and self.ended_at is not None and self.ended_at < self.began_at:
            raise Incomplete("A breach ends after it began.")
        if set(self.consequences) - set(CONSEQUENCES):
            raise Incomplete("Please choose the likely consequences from the list.")
        if any(len(code) != _STATE_CODE or not code.isalpha() for code in self.states):
            raise Incomplete("Please give other states of the Union by their two letters, such as DE.")
        names = ("aware_at", "began_at", "ended_at", "cause", "spread", "integrity", "availability", "malicious")
        columns = {name: getattr(self, name) for name in (*names, "vulnerable", "opened")}
        return columns | {
            "consequences": list(self.consequences),
            "states": sorted({code.upper() for code in self.states}),
        }


def of_case(number: int) -> Breach:
    """Return the breach of a case.

    Raises:
        NotFound: none is recorded.
    """
    found = Breach.objects.select_related("case").filter(case_id=number).first()
    if found is None:
        raise NotFound("No breach is recorded in this case.")
    return found


def locked(number: int) -> Breach:
    """Return a breach held until the caller's transaction ends; its case must not be closed."""
    cases.locked(number)
    return of_case(number)


def _tell(actor: Actor, breach: Breach, words: str, act: Act, kind: TimelineKind = TimelineKind.BREACH) -> None:
    timeline.write(actor=actor, case=breach.case, kind=kind, words=words, act=act)


def member_of(actor: Actor) -> UUID:
    """Return who acts.

    Raises:
        NeedsAnother: it is no member of staff.
    """
    if actor.kind != "staff" or actor.id is None:
        raise NeedsAnother("Only a member of staff decides about a breach.")
    return actor.id


@enforces("8.3.a")
def record(*, actor: Actor, number: int, known: Circumstance) -> Breach:
    """Record that a case is a breach of personal data; from here it stays in the register (GDPR Art. 33(5)).

    Args:
        actor: a member of staff.
        number: of the case.
        known: what is known; the clocks run from ``known.aware_at``.

    Raises:
        Incomplete: times or codes make no sense.
        NotNow: it is recorded already, the case is closed, or it is an exercise's.
    """
    author, columns = member_of(actor), known.checked()
    with transaction.atomic():
        case = cases.locked(number)
        if Breach.objects.filter(case=case).exists():
            raise NotNow("This case's breach is recorded already.")
        breach = Breach.objects.create(case=case, recorded_at=clock.now(), recorded_by=author, **columns)
        Case.objects.filter(number=number).update(personal_data=True)
        words = f"Breach recorded: {Cause(known.cause).label.lower()}. Aware since {known.aware_at:%Y-%m-%d %H:%M} UTC."
        _tell(actor, breach, words, Act.BREACH_RECORDED)
    return breach


@enforces("8.3.a")
def restate(*, actor: Actor, number: int, known: Circumstance, because: str) -> Breach:
    """Replace what is known of a breach; a changed awareness moves every clock and is told with its reason.

    Raises:
        Incomplete: times or codes make no sense, or there is no reason.
        NotNow: the case is closed.
    """
    reason, columns = wording.sentence(because, what="The reason"), known.checked()
    with transaction.atomic():
        breach = locked(number)
        before = breach.aware_at
        Breach.objects.filter(id=breach.id).update(**columns)
        words = f"Restated: {reason}"
        if before != known.aware_at:
            words += f" Awareness moved from {before:%Y-%m-%d %H:%M} to {known.aware_at:%Y-%m-%d %H:%M} UTC."
        _tell(actor, breach, words, Act.BREACH_CHANGED)
    return of_case(number)


def say(*, actor: Actor, number: int, words: dict[str, dict[str, str]], house: tuple[str, ...] = ()) -> Breach:
    """Keep what the notices will say, by part and language; an empty one stays to be written.

    Raises:
        Incomplete: a part is none of ``PARTS``, too long, or names somebody's address.
    """
    if set(words) - set(PARTS):
        raise Incomplete("There is no such part of a notice.")
    kept = {
        part: {
            language: wording.checked(text, what=PARTS[part], house=house)
            for language, text in both.items()
            if language in LANGUAGES and text.strip()
        }
        for part, both in words.items()
    }
    with transaction.atomic():
        breach = locked(number)
        Breach.objects.filter(id=breach.id).update(words=kept)
        named = ", ".join(sorted(part for part, both in kept.items() if both)) or "nothing"
        _tell(actor, breach, f"Words for the notices: {named}.", Act.BREACH_CHANGED)
    return of_case(number)


# --- whom it touched -------------------------------------------------------------------------------------------------


def _kind_of(object_ids: set[UUID], subjects: set[UUID]) -> scopes.KindOf:
    """Return a reader of the kinds of sealed objects, also of such that are gone since.

    Asked in this order: the studio's rows (a preview shows what its picture shows), the vault's rows, the journal (what
    was received, made or deleted), and the receipts of whoever left.
    """
    found: dict[UUID, str] = {}
    for subject in subjects:
        found.update(vault.kinds_destroyed(subject))
    found = {one: data_kinds.OF_OBJECT.get(kind, "unknown") for one, kind in found.items()}
    for leaf in journal.leaves_between(data_kinds.OF_ACT):
        for object_id in leaf.object_ids:
            if object_id in object_ids:
                found[object_id] = data_kinds.OF_ACT[leaf.act]
    rows = {one: data_kinds.OF_OBJECT.get(kind, "unknown") for one, kind in vault.kinds_of(object_ids).items()}
    found.update({one: kind for one, kind in rows.items() if found.get(one, "unknown") == "unknown"})
    found.update(studio.kinds_of(object_ids))
    return lambda object_id: found.get(object_id, "unknown")


def look_up(query: Query) -> scopes.Touched:
    """Return whom a query on the journal finds, without keeping it. What waits to be sequenced is sequenced first."""
    while journal.waiting() and sequencing.sequence_once():
        pass
    leaves = list(journal.leaves_between(scopes.READ, since=query.since, until=query.until))
    opened = [leaf for leaf in leaves if leaf.act is Act.OBJECT_OPENED]
    objects = {object_id for leaf in opened for object_id in leaf.object_ids}
    subjects = {leaf.subject for leaf in opened if leaf.subject is not None}
    return scopes.touched(leaves, query, kind_of=_kind_of(objects, subjects))


@enforces("8.3.a", "8.3.b")
def scope_from_journal(*, actor: Actor, number: int, query: Query) -> scopes.Touched:
    """Find and keep exactly whom a breach touched: everybody whose data the journal says was opened under a query.

    The journal is verified first, and the answer kept with the head that covers it: damage is said, not hidden.

    Raises:
        NotNow: the case is closed.
        NotFound: no breach is recorded.
    """
    of_case(number)
    found = look_up(query)
    verified = _journal_holds()
    columns = {
        "kinds": sorted(found.kinds),
        "people": len(found.people),
        "records": found.records,
        "scope": _as_json(query),
        "scoped_at": clock.now(),
        "key_traces": [
            {"entry": str(one.entry_id), "at": one.at.isoformat(), "act": one.act.value, "words": one.words}
            for one in found.keys
        ],
        "journal_size": sequencing.size(),
        "journal_head": journal.latest_head() or "",
        "journal_verified": verified,
    }
    rows = [
        {
            "subject": subject,
            "kinds": sorted(person.kinds),
            "openings": person.openings,
            "objects_opened": len(person.objects),
            "first_at": person.first_at,
            "last_at": person.last_at,
        }
        for subject, person in found.people.items()
    ]
    words = f"{len(rows)} people and {found.openings} openings, from the journal"
    _keep(actor, number, columns, rows, words if verified else f"{words}, WHICH DOES NOT VERIFY")
    return found


@enforces("8.3.b")
def scope_everybody(*, actor: Actor, number: int, kinds: frozenset[str], because: str) -> int:
    """Keep that a breach touched every customer, as a copied store or a lost backup does; return how many.

    Raises:
        Incomplete: there is no kind of data, or no reason.
    """
    return scope_listed(actor=actor, number=number, subjects=customers.subjects(), kinds=kinds, because=because)


@enforces("8.3.b")
def scope_listed(*, actor: Actor, number: int, subjects: Iterable[UUID], kinds: frozenset[str], because: str) -> int:
    """Keep a list of people whom a breach touched in a way that the journal cannot show; return how many.

    Raises:
        Incomplete: there is no kind of data, a kind is none, somebody is no customer, or there is no reason.
    """
    reason = wording.sentence(because, what="The reason")
    if not kinds or kinds - set(data_kinds.KINDS):
        raise Incomplete("Please choose the kinds of data from the list.")
    people = set(subjects)
    if not people or people - customers.subjects():
        raise Incomplete("Please name customers by their pseudonyms; one of them is none.")
    columns = {
        "kinds": sorted(kinds),
        "people": len(people),
        "records": len(people) * len(kinds),
        "scope": {"listed": True, "because": reason},
        "scoped_at": clock.now(),
        "key_traces": [],
        "journal_size": 0,
        "journal_head": "",
        "journal_verified": None,
    }
    rows = [{"subject": subject, "kinds": sorted(kinds)} for subject in people]
    _keep(actor, number, columns, rows, f"{len(people)} people, by list: {reason}")
    return len(people)


def _keep(actor: Actor, number: int, columns: dict[str, Any], rows: list[dict[str, Any]], words: str) -> None:
    """Replace a breach's people. Who was told already stays: the record of letters is its own."""
    with transaction.atomic():
        breach = locked(number)
        AffectedPerson.objects.filter(breach=breach).delete()
        AffectedPerson.objects.bulk_create(
            [AffectedPerson(breach=breach, residence=residence.of(row["subject"]), **row) for row in rows],
            batch_size=_BATCH,
        )
        Breach.objects.filter(id=breach.id).update(**columns)
        _tell(actor, breach, f"Scope: {words.rstrip('.')}.", Act.BREACH_SCOPED)


def _journal_holds() -> bool:
    try:
        verification.verify()
    except JournalDamaged:
        return False
    return True


def _as_json(query: Query) -> dict[str, Any]:
    names = ("actors", "actor_kinds", "warrants", "grants", "subjects")
    return {
        "since": query.since.isoformat(),
        "until": query.until.isoformat(),
        "everything": query.everything,
        **{name: sorted(str(one) for one in getattr(query, name)) for name in names},
    }


@enforces("8.3.c")
def state_keys(*, actor: Actor, number: int, keys: Keys, because: str) -> Breach:
    """Record whether keys were touched, and how that is known; the encryption exemptions depend on it.

    Raises:
        Incomplete: there is no reason.
    """
    reason = wording.sentence(because, what="The reason")
    with transaction.atomic():
        breach = locked(number)
        if keys is Keys.SAFE and breach.key_traces:
            reason += f" (against {len(breach.key_traces)} traces in the journal)"
        Breach.objects.filter(id=breach.id).update(keys=keys, keys_because=reason)
        _tell(actor, breach, f"Keys: {keys.label.lower()}. {reason}", Act.BREACH_CHANGED)
    return of_case(number)


@enforces("8.3.c")
def state_residents(*, actor: Actor, number: int, residents: int, because: str) -> None:
    """Record how many residents of California are concerned, where more is known than the accounts say.

    Raises:
        Incomplete: there is no reason, or the number is above that of the people concerned.
    """
    reason = wording.sentence(because, what="The reason")
    with transaction.atomic():
        breach = locked(number)
        if not 0 <= residents <= breach.people:
            raise Incomplete("There cannot be more residents than people concerned.")
        Breach.objects.filter(id=breach.id).update(residents=residents, residents_because=reason)
        _tell(actor, breach, f"Residents of California: {residents}. {reason}", Act.BREACH_CHANGED)


@enforces("8.3.c")
def delay_for_law_enforcement(*, actor: Actor, number: int, until: dt.date, because: str) -> None:
    """Record that a law-enforcement agency asked to wait with telling residents (Civ. Code 1798.82(c)).

    Raises:
        Incomplete: there is no reason that names the agency, or the day is past.
    """
    reason = wording.sentence(because, what="The agency and its reason")
    if until < clock.now().astimezone(clocks.PACIFIC).date():
        raise Incomplete("The day lies in the past.")
    with transaction.atomic():
        breach = locked(number)
        Breach.objects.filter(id=breach.id).update(delayed_until=until, delayed_because=reason)
        _tell(actor, breach, f"Residents are told after {until}: {reason}", Act.BREACH_CHANGED)


def excuse_delay(*, actor: Actor, number: int, because: str) -> None:
    """Record the reasons for a notice after the 72 hours; without them a late one cannot be released (Art. 33(1))."""
    reason = wording.sentence(because, what="The reasons")
    with transaction.atomic():
        breach = locked(number)
        Breach.objects.filter(id=breach.id).update(late_because=reason)
        _tell(actor, breach, f"Reasons for the delay: {reason}", Act.BREACH_CHANGED)


# --- how grave it is -------------------------------------------------------------------------------------------------


def proposal(breach: Breach) -> assessment.Assessment | None:
    """Return what the method finds for a breach as it stands, or None while its scope is not known."""
    if breach.scoped_at is None or not breach.kinds:
        return None
    return assessment.assess(
        Circumstances(
            kinds=frozenset(breach.kinds),
            people=breach.people,
            spread=Spread(breach.spread),
            integrity=Harm(breach.integrity),
            availability=Harm(breach.availability),
            malicious=breach.malicious,
            vulnerable=breach.vulnerable,
            intelligible=breach_selectors.intelligible(breach),
        )
    )


@enforces("8.3.a", "8.3.b")
def judge(*, actor: Actor, number: int, risk: Risk, because: str) -> Judgement:
    """Judge the risk to people, with reasons. A milder judgement than the method's counts only when somebody agrees.

    Raises:
        Incomplete: there is no reason.
        NotNow: whom the breach touched is not known yet.
    """
    reason, author = wording.sentence(because, what="The reason"), member_of(actor)
    with transaction.atomic():
        breach = locked(number)
        found = proposal(breach)
        if found is None:
            raise NotNow("Please find out first whom it touched, and which kinds of data.")
        row = Judgement.objects.create(
            breach=breach,
            score=found.score,
            proposed=found.risk,
            risk=risk,
            reasons=list(found.reasons),
            because=reason,
            judged_at=clock.now(),
            judged_by=author,
        )
        milder = assessment.is_lower(risk, found.risk)
        words = f"Judged: {risk.label.lower()} (method: {found.score:g}, {found.risk.label.lower()}). {reason}"
        _tell(actor, breach, f"{words} Somebody else must agree." if milder else words, Act.BREACH_JUDGED)
    return row


@enforces("8.3.a")
def agree(*, actor: Actor, judgement_id: UUID) -> Judgement:
    """Agree to a judgement that is milder than the method's.

    Raises:
        NeedsAnother: it is one's own.
        NotFound: there is none that waits.
    """
    member = member_of(actor)
    row = Judgement.objects.select_related("breach").filter(id=judgement_id, agreed_at__isnull=True).first()
    if row is None:
        raise NotFound("There is no such judgement waiting.")
    if row.judged_by == member:
        raise NeedsAnother("Somebody else must agree to your judgement.")
    with transaction.atomic():
        breach = locked(row.breach.case_id)
        row.agreed_at, row.agreed_by = clock.now(), member
        row.save(update_fields=["agreed_at", "agreed_by"])
        _tell(actor, breach, f"Agreed: {Risk(row.risk).label.lower()}.", Act.JUDGEMENT_AGREED, TimelineKind.DECISION)
    return row


# --- whom not to tell ------------------------------------------------------------------------------------------------

# Which grounds can free from telling whom.
GROUNDS: dict[Addressee, frozenset[Ground]] = {
    Addressee.AUTHORITY: frozenset({Ground.UNLIKELY}),
    Addressee.PEOPLE: frozenset({Ground.UNINTELLIGIBLE, Ground.REMOVED, Ground.DISPROPORTIONATE}),
    Addressee.RESIDENTS: frozenset({Ground.STATUTE}),
    Addressee.ATTORNEY_GENERAL: frozenset({Ground.STATUTE}),
}


def _ground_holds(breach: Breach, addressee: Addressee, ground: Ground, public_notice: str) -> None:
    """Pass only a ground that the facts allow.

    Raises:
        NotNow: they do not.
    """
    if ground not in GROUNDS[addressee]:
        raise NotNow("This ground does not free from telling them.")
    if ground is Ground.UNLIKELY and breach_selectors.risk_of(breach) is not Risk.UNLIKELY:
        raise NotNow("A risk was not judged unlikely, so the authority is told.")
    if ground is Ground.UNINTELLIGIBLE and breach_selectors.intelligible(breach):
        raise NotNow("The data could be read, or its keys are not known to be safe: the exemption is lost.")
    if ground is Ground.DISPROPORTIONATE and not public_notice.strip().startswith("https://"):
        raise NotNow("Then the public is told instead: please give the https:// address of the public notice.")


@enforces("8.3.a", "8.3.b", "8.3.c")
def propose_not_to_tell(
    *, actor: Actor, number: int, addressee: Addressee, ground: Ground, because: str, public_notice: str = ""
) -> Decision:
    """Propose not to tell somebody. It counts only when somebody else approves; until then every clock runs on.

    Args:
        actor: who proposes.
        number: of the case.
        addressee: whom not to tell.
        ground: which rule allows it.
        because: the reasons in full (Art. 33(5)).
        public_notice: address of the public notice that takes the letters' place.

    Raises:
        Incomplete: there is no reason.
        NotNow: the facts do not allow this ground, or one waits already.
    """
    reason, author = wording.sentence(because, what="The reasons"), member_of(actor)
    with transaction.atomic():
        breach = locked(number)
        _ground_holds(breach, addressee, ground, public_notice)
        if Decision.objects.filter(breach=breach, addressee=addressee, ended_at__isnull=True).exists():
            raise NotNow("There is a decision about this already.")
        row = Decision.objects.create(
            breach=breach,
            addressee=addressee,
            ground=ground,
            because=reason,
            public_notice=public_notice.strip()[:300],
            proposed_at=clock.now(),
            proposed_by=author,
        )
        words = f"Proposed not to tell: {addressee.label.lower()}. {ground.label}. {reason}"
        _tell(actor, breach, words, Act.DECISION_PROPOSED, TimelineKind.DECISION)
    return row


def _waiting(decision_id: UUID) -> Decision:
    row = (
        Decision.objects.select_related("breach")
        .filter(id=decision_id, approved_at__isnull=True, ended_at__isnull=True)
        .first()
    )
    if row is None:
        raise NotFound("There is no such proposal waiting.")
    return row


@enforces("8.3.a", "8.3.b", "8.3.c")
def approve(*, actor: Actor, decision_id: UUID) -> Decision:
    """Approve a proposal not to tell somebody; the facts are looked at again.

    Raises:
        NeedsAnother: it is one's own.
        NotFound: there is none that waits.
        NotNow: the facts have changed and do not allow it any more.
    """
    member, row = member_of(actor), _waiting(decision_id)
    if row.proposed_by == member:
        raise NeedsAnother("Somebody else must approve your proposal.")
    with transaction.atomic():
        breach = locked(row.breach.case_id)
        _ground_holds(breach, Addressee(row.addressee), Ground(row.ground), row.public_notice)
        row.approved_at, row.approved_by = clock.now(), member
        row.save(update_fields=["approved_at", "approved_by"])
        words = f"Approved not to tell: {Addressee(row.addressee).label.lower()}."
        _tell(actor, breach, words, Act.DECISION_APPROVED, TimelineKind.DECISION)
    return row


@enforces("8.3.a")
def end_decision(*, actor: Actor, decision_id: UUID, because: str) -> None:
    """Refuse a proposal, or take an approved decision back; the clock runs as if it had never stopped.

    Raises:
        NotFound: there is none of this id in force.
    """
    reason, member = wording.sentence(because, what="The reason"), member_of(actor)
    row = Decision.objects.select_related("breach").filter(id=decision_id, ended_at__isnull=True).first()
    if row is None:
        raise NotFound("There is no such decision.")
    with transaction.atomic():
        breach = locked(row.breach.case_id)
        row.ended_at, row.ended_by, row.ended_because = clock.now(), member, reason
        row.save(update_fields=["ended_at", "ended_by", "ended_because"])
        words = f"To be told after all: {Addressee(row.addressee).label.lower()}. {reason}"
        _tell(actor, breach, words, Act.DECISION_REFUSED, TimelineKind.DECISION)
