"""The verbs of a request: received, verified, confirmed, extended, answered, refused, taken back, appealed."""

import datetime as dt
import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from uuid import UUID, uuid4

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.audit.acts import Outcome as JournalOutcome
from headshotly.policy import clock, configuration, dates
from headshotly.policy.enforcement import enforces
from headshotly.policy.reference import new_reference
from headshotly.policy.wording import language
from headshotly.rights import clocks, states, verifying
from headshotly.rights.deadlines import deadlines_of
from headshotly.rights.errors import Incomplete, LinkGone, NotFound, NotNow, TooLate
from headshotly.rights.models import RecipientNotice, RightsRequest
from headshotly.rights.recipients import recipients_to_tell
from headshotly.rights.states import Channel, Kind, Outcome, Regime, State
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant

LINK_VALID = dt.timedelta(days=30)
LONGEST_WORDS = 5000
REQUESTS_PER_CLIENT = 10
MAILS_WINDOW = dt.timedelta(hours=1)
_APPEALS = frozenset({State.ANSWERED, State.REFUSED})


@dataclass(frozen=True, slots=True)
class Words:
    """What a person wrote; sealed under their key.

    Attributes:
        text: the request itself.
        name: only of a person without an account.
        email: where to answer, only of a person without an account.
        agent: name and address of an authorised agent.
        permission: the agent's proof of permission, in words.
        uploader: for a photo objection, what is known of who uploaded it.
    """

    text: str = ""
    name: str = ""
    email: str = ""
    agent: str = ""
    permission: str = ""
    uploader: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it was taken in.

    Attributes:
        request: the row.
        token: for a person without an account, what their link holds; kept nowhere.
    """

    request: RightsRequest
    token: str = ""


@enforces("1.2.c")
def receive(
    *,
    actor: Actor,
    kind: Kind,
    regime: Regime,
    channel: Channel,
    words: Words,
    subject: UUID | None = None,
    appeal_of: RightsRequest | None = None,
    received_at: dt.datetime | None = None,
) -> Received:
    """Take in a request; its clocks run from this moment, whatever is still missing.

    A person without an account gets a pseudonym and a key of their own, made before the row: a crash in between
    leaves a key that opens nothing.

    Args:
        actor: who brought it.
        kind: which right.
        regime: which law.
        channel: which way it came.
        words: what was written.
        subject: the customer's pseudonym, or None for a person without an account.
        appeal_of: the request appealed against.
        received_at: when it reached us, if earlier than now (a letter).

    Raises:
        Incomplete: the words are too long, or a person without an account gave no address.
    """
    if any(len(value) > LONGEST_WORDS for value in asdict(words).values()):
        raise Incomplete(f"Please use at most {LONGEST_WORDS} characters.")
    level = verifying.needed(kind, channel)
    if subject is None and level.mailbox and "@" not in words.email:
        raise Incomplete("Please give an e-mail address that we can answer to.")
    moment = received_at or clock.now()
    last = deadlines_of(kind, regime, moment, operator_zone=configuration.current().operator.time_zone)
    person = subject or uuid4()
    if subject is None:
        vault.create_customer_key(actor=actor, subject=person)
    token = secrets.token_urlsafe(24) if subject is None and words.email else ""
    with transaction.atomic():
        made = RightsRequest.objects.create(
            reference=new_reference("R"),
            subject=person,
            has_account=subject is not None,
            kind=kind,
            regime=regime,
            channel=channel,
            language=language(),
            state=State.PROOF if level.mailbox or level.points else State.OPEN,
            received_at=moment,
            confirm_by=last.confirm_by,
            answer_by=last.answer_by,
            longest=last.longest,
            confirmed_at=clock.now(),  # the page or the mail that follows is the confirmation (11 CCR 7021(a))
            appeal_of=appeal_of,
            proof_sha256=hashlib.sha256(token.encode()).digest() if token else b"",
            proof_expires_at=clock.now() + LINK_VALID if token else None,
            words=vault.seal_field(subject=person, field=_label("words"), text=json.dumps(asdict(words))),
        )
        _journal(actor, Act.REQUEST_RECEIVED, made)
    return Received(made, token)


def _label(column: str) -> str:
    return f"rights.{column}"


def _journal(actor: Actor, act: Act, request: RightsRequest, *, refused: bool = False) -> None:
    audit.record(
        actor=actor,
        act=act,
        subject=request.subject,
        purpose=f"{request.kind} {request.reference}",
        outcome=JournalOutcome.REFUSED if refused else JournalOutcome.DONE,
    )


def request_of_link(token: str) -> RightsRequest:
    """Return the request that a person's link names.

    Raises:
        LinkGone: it is none of ours, or its time is over.
    """
    found = RightsRequest.objects.filter(
        proof_sha256=hashlib.sha256(token.encode()).digest(), proof_expires_at__gt=clock.now()
    ).first()
    if found is None or not token:
        raise LinkGone("This link does not work any more. Please write to us again.")
    return found


def prove_mailbox(*, actor: Actor, token: str) -> RightsRequest:
    """Record that a person opened the link that only their mailbox had; more proof may still be needed.

    Raises:
        LinkGone: as ``request_of_link``.
    """
    found = request_of_link(token)
    level = verifying.needed(Kind(found.kind), Channel(found.channel))
    with transaction.atomic():
        done = not level.points
        changed = RightsRequest.objects.filter(id=found.id, state=State.PROOF, verified_how="").update(
            state=State.OPEN if done else State.PROOF,
            verified_at=clock.now() if done else None,
            verified_how="opened the link sent to their address",
        )
        if changed:
            found.refresh_from_db()
            _journal(actor, Act.REQUEST_VERIFIED, found)
    return found


@enforces("1.2.c")
def record_verification(*, actor: Actor, request_id: UUID, facts: int, declaration: bool, permission: bool) -> None:
    """Record what a person proved about themselves, for a request that needs more than their mailbox.

    Args:
        actor: the member of staff who compared.
        request_id: which request.
        facts: how many facts matched what we hold.
        declaration: a signed declaration under penalty of perjury is on file.
        permission: an agent's signed permission is on file.

    Raises:
        Incomplete: it is less than this kind of request needs.
        NotNow: the request does not wait for proof.
    """
    with transaction.atomic():
        found = _locked(request_id)
        level = verifying.needed(Kind(found.kind), Channel(found.channel))
        if found.state != State.PROOF:
            raise NotNow("This request does not wait for proof of identity.")
        enough = facts >= level.points and (declaration or not level.declaration)
        if not (enough and (permission or not level.permission) and (found.verified_how or not level.mailbox)):
            raise Incomplete(f"This is not enough proof. {level.sentence}")
        said = [found.verified_how, f"{facts} facts matched" if facts else "", "declaration" if declaration else ""]
        found.verified_how = "; ".join(part for part in (*said, "permission" if permission else "") if part)
        found.state, found.verified_at, found.handled_by = State.OPEN, clock.now(), actor.id
        found.save()
        _journal(actor, Act.REQUEST_VERIFIED, found)


def _locked(request_id: UUID) -> RightsRequest:
    found = RightsRequest.objects.select_for_update().filter(id=request_id).first()
    if found is None:
        raise NotFound("There is no such request.")
    return found


@enforces("1.2.c")
def extend(*, actor: Actor, request_id: UUID, because: str) -> RightsRequest:
    """Extend the time for an answer, once, with reasons, while the first limit runs (GDPR 12(3), 11 CCR 7021(b)).

    Raises:
        Incomplete: there is no reason.
        NotNow: the request is over, was extended before, or knows no extension.
        TooLate: the first limit is over; an extension had to be told by then.
    """
    if len(because.strip()) < 20:  # noqa: PLR2004 - shorter is no reason
        raise Incomplete("Please give the reasons in a sentence; the person is told.")
    with transaction.atomic():
        found = _locked(request_id)
        if found.state != State.OPEN or found.longest <= found.answer_by:
            raise NotNow("This request cannot be extended.")
        if dates.today() > found.answer_by:
            raise TooLate("The first time limit is over; an extension had to be told before it ended.")
        found.state, found.extended_at, found.extended_because = State.EXTENDED, clock.now(), because.strip()
        found.save()
        _journal(actor, Act.REQUEST_EXTENDED, found)
    return found


def last_day(request: RightsRequest) -> dt.date:
    """Return the last day for an answer, the extension included where it was told."""
    return request.longest if request.extended_at else request.answer_by


@enforces("1.2.c")
def answer(
    *, actor: Actor, request_id: UUID, reply: str, outcome: Outcome = Outcome.GRANTED, ground: str = ""
) -> RightsRequest:
    """Answer a request; recipients who must hear of it are noted (GDPR Art. 19).

    Args:
        actor: who answers; the customer themselves where the software did it at once.
        request_id: which request.
        reply: to the person, sealed under their key; left out where the key is gone by now.
        outcome: granted, or in part.
        ground: for a partial answer, why, among ``states.GROUNDS``.

    Raises:
        Incomplete: a partial answer without its ground.
        NotNow: the request is over, or waits for proof.
    """
    if outcome is Outcome.REFUSED:
        raise Incomplete("A refusal is given as a refusal, with its reason.")
    if (outcome is Outcome.PARTLY) != (ground in states.GROUNDS):
        raise Incomplete("Please say why it is granted in part only.")
    return _end(actor, request_id, state=State.ANSWERED, outcome=outcome, ground=ground, reply=reply)


@enforces("1.2.c")
def refuse(*, actor: Actor, request_id: UUID, ground: str, reply: str) -> RightsRequest:
    """Refuse a request with its reason; the person is told where they can complain (GDPR 12(4)).

    Raises:
        Incomplete: the reason is none of ``states.GROUNDS``, or there are no words for the person.
        NotNow: the request is over.
    """
    if ground not in states.GROUNDS or not reply.strip():
        raise Incomplete("A refusal names its reason and explains it to the person.")
    return _end(actor, request_id, state=State.REFUSED, outcome=Outcome.REFUSED, ground=ground, reply=reply)


def _end(actor: Actor, request_id: UUID, *, state: State, outcome: Outcome, ground: str, reply: str) -> RightsRequest:
    with transaction.atomic():
        found = _locked(request_id)
        if State(found.state) not in states.before(state):
            raise NotNow("This request is over, or waits for proof of identity.")
        if actor.kind == "staff" and found.appeal_of is not None and found.appeal_of.handled_by == actor.id:
            raise NotNow("Somebody else than who gave the answer decides about the appeal.")
        if reply:
            found.reply = vault.seal_field(subject=found.subject, field=_label("reply"), text=reply)
        found.state, found.outcome, found.ground, found.closed_at = state, outcome, ground, clock.now()
        found.handled_by = actor.id if actor.kind == "staff" else None
        found.save()
        if state is State.ANSWERED:
            for recipient in recipients_to_tell(Kind(found.kind)):
                RecipientNotice.objects.get_or_create(request=found, recipient=recipient)
        refused = state is State.REFUSED
        _journal(actor, Act.REQUEST_REFUSED if refused else Act.REQUEST_ANSWERED, found, refused=refused)
    return found


def note_deletion(*, subject: UUID) -> None:
    """Record a deletion that a customer did on another page, so that the figures and the record are whole.

    It runs in the transaction that removes the account; their key is gone, so there are no words.
    """
    if RightsRequest.objects.filter(subject=subject, kind=Kind.DELETE, state__in=states.LIVE).exists():
        return
    moment = clock.now()
    zone = configuration.current().operator.time_zone
    last = deadlines_of(Kind.DELETE, Regime.EITHER, moment, operator_zone=zone)
    RightsRequest.objects.create(
        reference=new_reference("R"),
        subject=subject,
        kind=Kind.DELETE,
        regime=Regime.EITHER,
        channel=Channel.ACCOUNT,
        state=State.ANSWERED,
        outcome=Outcome.GRANTED,
        received_at=moment,
        confirm_by=last.confirm_by,
        answer_by=last.answer_by,
        longest=last.longest,
        confirmed_at=moment,
        closed_at=moment,
    )


def withdraw(*, actor: Actor, subject: UUID, request_id: UUID) -> None:
    """Take one's own request back.

    Raises:
        NotFound: there is none, or it is somebody else's.
        NotNow: it is over.
    """
    with transaction.atomic():
        found = _locked(request_id)
        if found.subject != subject:
            raise NotFound("There is no such request.")
        if State(found.state) not in states.before(State.WITHDRAWN):
            raise NotNow("This request is over already.")
        found.state, found.closed_at = State.WITHDRAWN, clock.now()
        found.save()
        _journal(actor, Act.REQUEST_WITHDRAWN, found)


@enforces("1.2.c")
def appeal(*, actor: Actor, subject: UUID, request_id: UUID, text: str) -> RightsRequest:
    """Appeal against an answer; somebody else than the one who gave it decides.

    Raises:
        Incomplete: there are no words.
        NotFound: there is no such request of this person.
        NotNow: it is not answered yet, or an appeal is open.
    """
    first = RightsRequest.objects.filter(id=request_id, subject=subject).first()
    if first is None:
        raise NotFound("There is no such request.")
    if State(first.state) not in _APPEALS or RightsRequest.objects.filter(appeal_of=first).exists():
        raise NotNow("There is nothing to appeal against, or your appeal is here already.")
    if not text.strip():
        raise Incomplete("Please say why you do not agree.")
    words = Words(text=text.strip())
    received = receive(
        actor=actor,
        kind=Kind.APPEAL,
        regime=Regime(first.regime),
        channel=Channel.ACCOUNT,
        words=words,
        subject=subject,
        appeal_of=first,
    )
    return received.request


def read_words(*, request: RightsRequest, warrant: Warrant) -> Words:
    """Return what a person wrote, after the journal says who reads it. Raises as ``vault.open_field`` does."""
    text = vault.open_field(
        subject=request.subject, field=_label("words"), sealed=request.words.ciphertext, warrant=warrant
    )
    return Words(**json.loads(text))


def read_reply(*, request: RightsRequest, warrant: Warrant) -> str:
    """Return what we answered, or nothing where there is no reply. Raises as ``vault.open_field`` does."""
    if request.reply is None:
        return ""
    return vault.open_field(
        subject=request.subject, field=_label("reply"), sealed=request.reply.ciphertext, warrant=warrant
    )


def record_told(*, actor: Actor, notice_id: UUID, how: str) -> None:
    """Record that a recipient was told of a correction, deletion or restriction (GDPR Art. 19).

    Raises:
        Incomplete: it does not say how.
        NotFound: there is no such notice to give.
    """
    if not how.strip():
        raise Incomplete("Please say how they were told.")
    with transaction.atomic():
        notice = RecipientNotice.objects.select_related("request").filter(id=notice_id, told_at__isnull=True).first()
        if notice is None:
            raise NotFound("There is nothing left to tell here.")
        notice.told_at, notice.how = clock.now(), how.strip()
        notice.save()
        audit.record(
            actor=actor, act=Act.RECIPIENT_TOLD, subject=notice.request.subject, purpose=notice.request.reference
        )


def forget_old(*, before: dt.datetime) -> int:
    """Remove the record of requests received before a moment and over; strangers' keys are shredded with them.

    A crash in between leaves a row whose words cannot be opened any more; the next run removes it.

    Returns:
        How many were removed.
    """
    old = list(RightsRequest.objects.filter(received_at__lt=before, state__in=states.ENDS))
    for request in old:
        if clocks.keep_record_until(request.received_at.date()) > clock.now().date():
            continue
        if not request.has_account:
            vault.shred_key(actor=Actor(kind="system"), subject=request.subject)
        with transaction.atomic():
            _journal(Actor(kind="system"), Act.REQUEST_FORGOTTEN, request)
            request.delete()
    return len(old)
