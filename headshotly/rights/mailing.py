"""One mail to every customer about a publication: queued whole, handed over one by one, resumed after any crash.

The queue is ``vendors.posting``'s. A legal notice has no way to unsubscribe.
"""

import datetime as dt
import itertools
from collections.abc import Callable
from uuid import UUID

from django.utils.translation import gettext as _

from headshotly.access.warrants import service_warrant
from headshotly.accounts import selectors as accounts
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.wording import day, language, speaking
from headshotly.rights.legal_texts import TITLES
from headshotly.rights.models import Delivery, Publication
from headshotly.vendors import mail, posting
from headshotly.vendors.posting import PostState

type AddressOf = Callable[[UUID], str]


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
        for batch in itertools.batched(missing, posting.BATCH):
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

    def hand_over(delivery: Delivery, once: UUID) -> bool:
        return _hand_over(delivery, once, address_of)

    rows = Delivery.objects.select_related("publication")
    return posting.send_due(rows, hand_over=hand_over, given_up=_given_up, most=most)


def _hand_over(delivery: Delivery, once: UUID, address_of: AddressOf) -> bool:
    address = address_of(delivery.subject)
    if not address:
        return False
    with speaking(accounts.language_of(delivery.subject)):
        title = _(TITLES[delivery.publication.document])
        mail.send(
            to=address,
            subject=_("%(title)s: a new version from %(version)s")
            % {"title": title, "version": day(delivery.publication.effective_on)},
            text=_text(delivery.publication),
            about=delivery.subject,
            once=once,
        )
    return True  # the mailer has journalled that it went; the row only says which of ours it was


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


def _given_up(delivery: Delivery, why: str) -> None:
    audit.record(
        actor=SYSTEM, act=Act.POLICY_MAIL_FAILED, subject=delivery.subject, purpose=why, outcome=Outcome.FAILED
    )


def record_bounce(*, delivery_id: UUID, permanent: bool) -> None:
    """Record that a mail came back: a passing reason is tried again, a lasting one (RFC 3463, class 5) is given up.

    Args:
        delivery_id: the id the mail carried.
        permanent: the address does not take mail at all.
    """
    posting.record_bounce(Delivery.objects.all(), row_id=delivery_id, permanent=permanent, given_up=_given_up)


def progress(publication: Publication) -> dict[str, int]:
    """Return how many mails of a publication are in which state."""
    return posting.progress(Delivery.objects.filter(publication=publication))


def forget_old(*, before: dt.datetime) -> int:
    """Remove the record of mails that ended before a moment; the journal keeps the pseudonymous entries."""
    ended = (PostState.SENT, PostState.GONE, PostState.FAILED)
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
    given_up = set(rows.filter(state=PostState.FAILED).values_list("subject", flat=True))
    waiting = rows.filter(state__in=(PostState.QUEUED, PostState.SENDING))
    overdue = publication.queued_at is not None and publication.queued_at + late_after < clock.now()
    late = set(waiting.values_list("subject", flat=True)) if overdue else set()
    return given_up, late, rows.count()
