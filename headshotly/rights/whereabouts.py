"""*Where my photos went*: every store, region and vendor that ever held a picture, from the journal and the records."""

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from headshotly.audit import selectors as journal
from headshotly.audit.acts import Act
from headshotly.continuity import selectors as continuity
from headshotly.policy.enforcement import enforces
from headshotly.policy.wording import told
from headshotly.vault import places
from headshotly.vault import selectors as vault
from headshotly.vault.places import Periods

_PICTURE = noop("Picture")
# How the vault names its own store, so that the catalogue has words for it.
_STORES = (noop("Encrypted folder"), noop("our own machine"), noop("where the service runs"))
_KINDS = {"photo": noop("Photo you uploaded"), "headshot": noop("Headshot"), "preview": noop("Small preview")}

type Snapshots = list[tuple[dt.datetime, list[str]]]


@dataclass(frozen=True, slots=True)
class Stay:
    """One place that held a picture.

    Attributes:
        place: what it is.
        vendor: whose it is.
        region: where it stands.
        since: from when.
        until: until when; None while it is there.
    """

    place: str
    vendor: str
    region: str
    since: dt.datetime
    until: dt.datetime | None


@dataclass(slots=True)
class Itinerary:
    """A picture and everywhere it was.

    Attributes:
        object_id: the sealed object.
        kind: what it is, in words.
        sealed_at: when it came.
        destroyed_at: when its bytes and keys were destroyed; None while it is there.
        stays: every place, oldest first.
    """

    object_id: UUID
    kind: str
    sealed_at: dt.datetime
    destroyed_at: dt.datetime | None = None
    stays: list[Stay] = field(default_factory=list)


@enforces("1.2.c", "2.2")
def whereabouts(subject: UUID) -> list[Itinerary]:
    """Return every picture the journal ever named of a customer, newest first, with everywhere it was.

    The last few seconds may be missing: the journal signs within a second.
    """
    found: dict[UUID, Itinerary] = {}
    kinds = vault.kinds_of(vault.objects_of(subject))
    for entry in journal.entries_of_subject(subject):
        for object_id in entry.leaf.object_ids:
            if entry.leaf.act is Act.OBJECT_SEALED:
                what = told(_KINDS.get(kinds.get(object_id, ""), _PICTURE))
                found[object_id] = Itinerary(object_id, what, entry.leaf.occurred_at)
            elif entry.leaf.act is Act.OBJECT_DESTROYED and object_id in found:
                found[object_id].destroyed_at = entry.leaf.occurred_at
    newest = sorted(found.values(), key=lambda one: one.sealed_at, reverse=True)
    if newest:
        periods, owners = places.periods(), continuity.vendors()
        snapshots = continuity.snapshots(since=newest[-1].sealed_at)
        for one in newest:
            one.stays = [*_stores(one, periods), *_backups(one, snapshots, owners)]
    return newest


def _stores(one: Itinerary, periods: Periods) -> list[Stay]:
    return [
        Stay(
            told(period.store),
            told(period.vendor),
            told(period.region),
            max(period.since, one.sealed_at),
            min(filter(None, (period.until, one.destroyed_at)), default=None),
        )
        for period in places.held(periods, since=one.sealed_at, until=one.destroyed_at)
    ]


def _backups(one: Itinerary, snapshots: Snapshots, owners: dict[str, str]) -> list[Stay]:
    """Return the regions whose backups hold the picture as ciphertext; what was destroyed is unreadable there too."""
    first: dict[str, dt.datetime] = {}
    for snapshot_at, regions in snapshots:
        if snapshot_at >= one.sealed_at and (one.destroyed_at is None or snapshot_at < one.destroyed_at):
            for region in regions:
                first.setdefault(region, snapshot_at)
    return [
        Stay(_("Encrypted backup"), owners.get(region, ""), region, since, one.destroyed_at)
        for region, since in sorted(first.items())
    ]
