"""One letter to each person a breach touched: queued whole, handed over one by one, resumed after any crash.

Nobody is missed: whoever is in the breach and has no letter gets one, also when the breach grows. Nobody gets two: a
letter's id is the mail's, and a mailbox keeps one mail an id.
"""

import itertools
from collections.abc import Callable
from uuid import UUID

from django.db import transaction

from headshotly.access.warrants import service_warrant
from headshotly.accounts import selectors as accounts
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.incidents import breach_selectors, people_letters, timeline, wording
from headshotly.incidents.errors import NotFound
from headshotly.incidents.models import AffectedPerson, Letter, Notice, TimelineKind
from headshotly.incidents.notices import BY_LETTER
from headshotly.incidents.obligations import Addressee
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vendors import mail, posting
from headshotly.vendors.posting import Posted, PostState

_OPEN = (PostState.QUEUED, PostState.SENDING)
type AddressOf = Callable[[UUID], str]


def _people_of(notice: Notice) -> set[UUID]:
    people = (
        AffectedPerson.objects.filter(breach=notice.breach)
        if notice.addressee == Addressee.PEOPLE
        else breach_selectors.residents(notice.breach)
    )
    return set(people.values_list("subject", flat=True))


@enforces("8.3.b", "8.3.c")
def queue_due() -> int:
    """Queue the letters of every released notice that somebody in its breach has none of yet.

    A crash between two batches leaves some without; the next run adds exactly those.

    Returns:
        How many were queued.
    """
    queued = 0
    for notice in Notice.objects.select_related("breach").filter(addressee__in=BY_LETTER):
        known = set(Letter.objects.filter(notice=notice).values_list("subject", flat=True))
        missing = sorted(_people_of(notice) - known)
        for batch in itertools.batched(missing, posting.BATCH):
            rows = [Letter(notice=notice, subject=subject, next_at=clock.now()) for subject in batch]
            Letter.objects.bulk_create(rows, ignore_conflicts=True)
            queued += len(rows)
        if missing:
            # A breach that grew is not told whole until the new ones are.
            Notice.objects.filter(id=notice.id).update(sent_at=None, queued_at=clock.now())
        elif notice.queued_at is None:
            Notice.objects.filter(id=notice.id).update(queued_at=clock.now())
    return queued


def _address_of(subject: UUID) -> str:
    """Return a person's address, the opening journalled; empty where they left."""
    found = accounts.customer(subject)
    if found is None:
        return ""
    return accounts.profile_email(found, warrant=service_warrant(subject=subject, purpose="breach-notice"))


@enforces("8.3.b", "8.3.c")
def send_due(*, most: int = 2000, address_of: AddressOf | None = None) -> int:
    """Hand over the letters that are due, and mark the notices whose letters are all out.

    Args:
        most: how many at most in this run.
        address_of: finds the address; empty means that the person left.

    Returns:
        How many were handed over.
    """
    find = address_of or _address_of

    def hand_over(row: Letter, once: UUID) -> bool:
        address = find(row.subject)
        if not address:
            return False
        title, text = text_of(row.notice, first=accounts.language_of(row.subject))
        mail.send(to=address, subject=title, text=text, about=row.subject, once=once)
        return True

    rows = Letter.objects.select_related("notice")
    sent = posting.send_due(rows, hand_over=hand_over, given_up=_given_up, most=most)
    mark_whole()
    return sent


def text_of(notice: Notice, *, first: str = "en") -> tuple[str, str]:
    """Return subject line and text of a notice's letter; a letter to people holds both languages, theirs first.

    Args:
        notice: as released.
        first: the language a person is written to in.
    """
    both = ("pl", "en") if first == "pl" else ("en", "pl")
    languages = both if notice.addressee == Addressee.PEOPLE else ("en",)
    letters = [people_letters.read(notice.content[language]) for language in languages]
    title = " / ".join(letter.title for letter in letters)
    return title, "\n\n\n".join(people_letters.as_text(letter) for letter in letters)


def _given_up(row: Posted, why: str) -> None:
    letter = Letter.objects.get(id=row.id)
    audit.record(actor=SYSTEM, act=Act.LETTER_FAILED, subject=letter.subject, purpose=why, outcome=Outcome.FAILED)


def mark_whole() -> int:
    """Mark the notices of which no letter waits any more; the moment of the last hand-over is when people were told.

    Returns:
        How many were marked.
    """
    marked = 0
    waiting = Notice.objects.select_related("breach__case").filter(
        addressee__in=BY_LETTER, queued_at__isnull=False, sent_at__isnull=True
    )
    for notice in waiting:
        mine = Letter.objects.filter(notice=notice)
        if mine.filter(state__in=_OPEN).exists() or _people_of(notice) - set(mine.values_list("subject", flat=True)):
            continue
        last = mine.filter(sent_at__isnull=False).order_by("-sent_at").values_list("sent_at", flat=True).first()
        with transaction.atomic():
            changed = Notice.objects.filter(id=notice.id, sent_at__isnull=True).update(
                sent_at=last or clock.now(), sent_how="e-mail"
            )
            if changed:
                found = posting.progress(mine)
                words = f"Letters to {Addressee(notice.addressee).label.lower()}: {found['sent']} handed over"
                words += f", {found['gone']} had left, {found['failed']} could not be delivered."
                timeline.write(
                    actor=SYSTEM, case=notice.breach.case, kind=TimelineKind.NOTICE, words=words, act=Act.NOTICE_SENT
                )
                marked += 1
    return marked


def record_bounce(*, letter_id: UUID, permanent: bool) -> None:
    """Record that a letter came back. The notice counts as not told whole until it is out again or told otherwise."""
    letter = Letter.objects.filter(id=letter_id, state=PostState.SENT).first()
    posting.record_bounce(Letter.objects.all(), row_id=letter_id, permanent=permanent, given_up=_given_up)
    if letter is not None and not permanent:
        Notice.objects.filter(id=letter.notice_id).update(sent_at=None)


def failed_of(notice: Notice) -> list[Letter]:
    """Return the letters that could not be delivered and must reach their people another way."""
    return list(Letter.objects.filter(notice=notice, state=PostState.FAILED).order_by("subject"))


@enforces("8.3.b")
def record_told_otherwise(*, actor: Actor, letter_id: UUID, how: str) -> None:
    """Record that a person whose letter could not be delivered was told another way, such as by post.

    Raises:
        Incomplete: it is not said how.
        NotFound: there is no such letter that failed.
    """
    way = wording.checked(how, what="How", longest=160)
    with transaction.atomic():
        letter = Letter.objects.select_related("notice__breach__case").filter(id=letter_id).first()
        changed = Letter.objects.filter(id=letter_id, state=PostState.FAILED).update(
            state=PostState.SENT, sent_at=clock.now()
        )
        if letter is None or not changed:
            raise NotFound("There is no such letter that could not be delivered.")
        timeline.write(
            actor=actor, case=letter.notice.breach.case, kind=TimelineKind.NOTICE, words=f"Told another way: {way}",
            act=Act.NOTICE_SENT, subject=letter.subject,
        )  # fmt: skip


def progress(notice: Notice) -> dict[str, int]:
    """Return how many letters of a notice are in which state."""
    return posting.progress(Letter.objects.filter(notice=notice))
