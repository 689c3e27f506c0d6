"""Publishing a version: dated, compared, checked against the reviewed mapping, and mailed to every customer (11)."""

import datetime as dt
from uuid import UUID

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock, dates
from headshotly.policy.enforcement import enforces
from headshotly.policy.mapping import unreviewed
from headshotly.rights import legal_texts
from headshotly.rights.errors import MappingNotReviewed, PublicationRefused
from headshotly.rights.models import Publication

LONGEST_AHEAD = dt.timedelta(days=366)
_SHORTEST_SUMMARY = 20


@enforces("11.a-c")
def publish(*, actor: Actor, document: str, effective_on: dt.date, summary: str, summary_pl: str = "") -> Publication:
    """Publish what the software says as a new version; the mails follow by themselves.

    The version is a row that is never changed. A crash after it leaves it unqueued, and ``mailing.queue_due`` goes on.

    Args:
        actor: the member of staff who publishes.
        document: which one.
        effective_on: from when it counts; today or later. It is also the version's name.
        summary: what changed, in plain words; it stands in the mail.
        summary_pl: the same in Polish, for customers who read Polish.

    Raises:
        MappingNotReviewed: a sentence of the policy changed and its control mapping was not reviewed since.
        PublicationRefused: nothing changed, the date is taken, past or too far, or the summary says nothing.
    """
    if document not in legal_texts.TITLES:
        raise PublicationRefused("There is no such document.")
    if actor.kind != "staff" or actor.id is None:
        raise PublicationRefused("Only a member of staff publishes.")
    today = dates.today()
    if not today <= effective_on <= today + LONGEST_AHEAD:
        raise PublicationRefused("A version takes effect today or later, at most a year ahead.")
    if len(summary.strip()) < _SHORTEST_SUMMARY:
        raise PublicationRefused("Please say in a sentence what changed; it stands in the mail.")
    if document == legal_texts.POLICY:
        _require_mapping()
    body = legal_texts.working_text(document)
    with transaction.atomic():
        newest = Publication.objects.select_for_update().filter(document=document).order_by("-version").first()
        version = effective_on.isoformat()
        if newest is not None and (newest.body == body or newest.version >= version):
            raise PublicationRefused("Nothing changed, or a version with this date or a later one exists.")
        made = Publication.objects.create(
            document=document,
            version=version,
            body=body,
            sha256=legal_texts.Version(document, version, body, summary, published=True).sha256,
            summary=summary.strip(),
            summary_pl=summary_pl.strip(),
            effective_on=effective_on,
            published_at=clock.now(),
            published_by=actor.id,
        )
        audit.record(actor=actor, act=Act.POLICY_PUBLISHED, purpose=f"{document} {version} {made.sha256}")
    return made


@enforces("11.a-c")
def _require_mapping() -> None:
    """Pass only when every sentence of the policy is mapped to controls and the mapping reviewed as it stands."""
    left = unreviewed()
    if left:
        raise MappingNotReviewed(
            f"{len(left)} sentences changed and nobody has reviewed their controls: {', '.join(left[:8])}."
        )


def publication(publication_id: UUID) -> Publication | None:
    """Return one publication."""
    return Publication.objects.filter(id=publication_id).first()


def history() -> list[Publication]:
    """Return every publication, newest first."""
    return list(Publication.objects.order_by("-published_at"))
