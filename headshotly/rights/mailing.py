"""One mail to every customer about a publication: queued whole, handed over one by one, resumed after any crash.

A delivery is marked before the mail is handed over and again after. The mail carries the delivery's id, and the mailer
keeps one mail an id: what a crash left marked in between is handed over again and still arrives once. A legal notice
has no way to unsubscribe.
"""

import datetime as dt
import itertools
import logging
from collections.abc import Callable
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from headshotly.access.warrants import service_warrant
from headshotly.accounts import selectors as accounts
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.policy.wording import day, language, speaking
from headshotly.rights.legal_texts import TITLES
from headshotly.rights.models import Delivery, DeliveryState, Publication
from headshotly.vendors import mail

BATCH = 200
ATTEMPTS_MAX = 6
FIRST_PAUSE = dt.timedelta(minutes=15)  # doubled each time: about eight hours in all
CLAIMED_FOR = dt.timedelta(minutes=10)
type AddressOf = Callable[[UUID], str]
_log = logging.getLogger(__name__)


@enforces("11.a-c")
def queue_due() -> int:
    """Queue the mails of every publication that is not queued whole yet, each customer once.

    Customers who sign up later agreed to the newer text; those known at this moment are in. A crash between two
    batches leaves the publication unqueued, and the next run adds only who is missing.

    Returns:
        How many mails were queued.
    """
    queued = 0
    for publication in Publication.objects.filter(queued_at__isnull=True):
        known = set(Delivery.objects.filter(publication=publication).values_list("subject", flat=True))
        missing = sorted(accounts.confirmed_subjects() - known)
        for batch in itertools.batched(missing, BATCH):
            rows = [Delivery(publication=publication, subject=subject, next_at=clock.now()) for subject in batch]
            Delivery.objects.bulk_create(rows, ignore_conflicts=True)
            queued += len(rows)
        Publication.objects.filter(id=publication.id).update(queued_at=clock.now())
    return queued


def _address_of(subject: UUID) -> str:
    """Return a customer's address, the opening journalled; empty where they left."""
    found = accounts.customer(subject)
    if found is None:
        return ""
    return accounts.profile_email(found, warrant=service_warrant(subject=subject, purpose="policy-notice"))


@enforces("11.a-c")
def send_due(*, most: int = 2000, address_of: AddressOf = _address_of) -> int:
    """Hand over the mails that are due, and those that a crash left in between.

    Args:
        most: how many at most in this run.
        address_of: finds the address; empty means that the customer left.

    Returns:
        How many were handed over.
    """
    sent = 0
    while sent < most:
        batch = _claim(min(BATCH, most - sent))
        if not batch:
            break
        for delivery in batch:
            sent += _deliver(delivery, address_of)
    return sent


def _claim(size: int) -> list[Delivery]:
    """Mark the next mails as being handed over; one that stays so too long was left by a crash and is due again."""
    now = clock.now()
    due = Q(state=DeliveryState.QUEUED) | Q(state=DeliveryState.SENDING)
    with transaction.atomic():
        # SQLite has one writer at a time; PostgreSQL leaves rows that another machine just took.
        ids = list(
            Delivery.objects.select_for_update(skip_locked=_can_skip())
            .filter(due, next_at__lte=now)
            .order_by("next_at")
            .values_list("id", flat=True)[:size]
        )
        Delivery.objects.filter(id__in=ids).update(state=DeliveryState.SENDING, next_at=now + CLAIMED_FOR)
    return list(Delivery.objects.select_related("publication").filter(id__in=ids))


def _can_skip() -> bool:
    return bool(transaction.get_connection().features.has_select_for_update_skip_locked)


def _deliver(delivery: Delivery, address_of: AddressOf) -> int:
    """Hand one mail over and mark it; a crash between the two leaves it claimed, to be handed over again."""
    try:
        address = address_of(delivery.subject)
        if not address:
            Delivery.objects.filter(id=delivery.id).update(state=DeliveryState.GONE)
            return 0
        with speaking(accounts.language_of(delivery.subject)):
            title = _(TITLES[delivery.publication.document])
            mail.send(
                to=address,
                subject=_("%(title)s: a new version from %(version)s")
                % {"title": title, "version": day(delivery.publication.effective_on)},
                text=_text(delivery.publication),
                about=delivery.subject,
                once=_mail_id(delivery),
            )
    except Refusal as refusal:
        _again(delivery, refusal.code)
        return 0
    # The mailer has journalled that it went; this only says which of ours it was.
    Delivery.objects.filter(id=delivery.id).update(
        state=DeliveryState.SENT, sent_at=clock.now(), attempts=delivery.attempts + 1
    )
    return 1


def _mail_id(delivery: Delivery) -> UUID:
    """Return the id of the mail: the same after a crash, another after a bounce, for that one did arrive nowhere."""
    return uuid5(delivery.id, str(delivery.bounces)) if delivery.bounces else delivery.id


def _text(publication: Publication) -> str:
    here = configuration.current()
    archive = f"{here.public_url}/documents/{publication.document}/"
    return _(
        "%(summary)s\n\nThe new version counts from %(day)s.\n"
        "Read it, with what changed: %(link)s\n\n"
        "Questions: %(questions)s\n\n"
        "You get this because the law or our policy wants you told; it is no advertising and cannot be switched off."
    ) % {
        "summary": publication.summary_pl if language() == "pl" and publication.summary_pl else publication.summary,
        "day": day(publication.effective_on),
        "link": f"{archive}{publication.version}/",
        "questions": here.operator.privacy_email,
    }


def _again(delivery: Delivery, why: str, *, bounced: bool = False) -> None:
    """Try a mail again later, each time after twice as long; after several tries give up and say so."""
    attempts = delivery.attempts + 1
    over = attempts >= ATTEMPTS_MAX
    with transaction.atomic():
        Delivery.objects.filter(id=delivery.id).update(
            state=DeliveryState.FAILED if over else DeliveryState.QUEUED,
            attempts=attempts,
            next_at=clock.now() + FIRST_PAUSE * 2 ** (attempts - 1),
        )
        if over:
            audit.record(
                actor=SYSTEM,
                act=Act.POLICY_MAIL_FAILED,
                subject=delivery.subject,
                purpose="bounced" if bounced else why,
                outcome=Outcome.FAILED,
            )


def record_bounce(*, delivery_id: UUID, permanent: bool) -> None:
    """Record that a mail came back: a passing reason is tried again, a lasting one (RFC 3463, class 5) is given up.

    Args:
        delivery_id: the id the mail carried.
        permanent: the address does not take mail at all.
    """
    delivery = Delivery.objects.filter(id=delivery_id, state=DeliveryState.SENT).first()
    if delivery is None:
        return
    kind = "hard" if permanent else "soft"
    Delivery.objects.filter(id=delivery_id).update(bounced_at=clock.now(), bounce=kind, bounces=delivery.bounces + 1)
    if permanent:
        delivery.attempts = ATTEMPTS_MAX
    _again(delivery, kind, bounced=True)


def progress(publication: Publication) -> dict[str, int]:
    """Return how many mails of a publication are in which state."""
    states = Delivery.objects.filter(publication=publication).values_list("state", flat=True)
    found = list(states)
    return {state.value: found.count(state) for state in DeliveryState}


def forget_old(*, before: dt.datetime) -> int:
    """Remove the record of mails that ended before a moment; the journal keeps the pseudonymous entries."""
    ended = (DeliveryState.SENT, DeliveryState.GONE, DeliveryState.FAILED)
    return Delivery.objects.filter(state__in=ended, next_at__lt=before).delete()[0]


def untold(publication: Publication, *, late_after: dt.timedelta) -> tuple[set[UUID], set[UUID], int]:
    """Return who was not told of a publication.

    Args:
        publication: which.
        late_after: how long a mail may be on its way.

    Returns:
        Customers whose mail was given up; customers whose mail is on its way for too long; how many mails there are.
    """
    rows = Delivery.objects.filter(publication=publication)
    given_up = set(rows.filter(state=DeliveryState.FAILED).values_list("subject", flat=True))
    waiting = rows.filter(state__in=(DeliveryState.QUEUED, DeliveryState.SENDING))
    overdue = publication.queued_at is not None and publication.queued_at + late_after < clock.now()
    late = set(waiting.values_list("subject", flat=True)) if overdue else set()
    return given_up, late, rows.count()
