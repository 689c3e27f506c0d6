"""Where sealed objects lie, and lay: each store with its vendor and region, from when to when (clauses 2.2, 1.2.d)."""

import datetime as dt

from django.db import IntegrityError, transaction

from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.vault.models import StorePeriod

OWN = "our own machine"
type Periods = list[StorePeriod]


def current() -> tuple[str, str, str]:
    """Return the store in use as the configuration names it: its name, whose it is, and its region.

    Options: ``objects.region`` says where a folder's machine stands.
    """
    options = configuration.current().options
    if configuration.current().object_store == "s3":
        whose = "Amazon Web Services" if not options.get("s3.endpoint") else options["s3.endpoint"]
        return f"S3 bucket {options.get('s3.bucket', '')}", whose, options.get("s3.region", "eu-central-1")
    return "Encrypted folder", OWN, options.get("objects.region", "where the service runs")


@enforces("2.2")
def note() -> bool:
    """Write down the store in use, where it is another than before; return whether it is.

    A crash in between leaves the old period open, and the next run writes the same again.
    """
    store, vendor, region = current()
    now = clock.now()
    try:
        with transaction.atomic():
            last = StorePeriod.objects.select_for_update().filter(until__isnull=True).first()
            if last is not None and (last.store, last.vendor, last.region) == (store, vendor, region):
                return False
            StorePeriod.objects.filter(until__isnull=True).update(until=now)
            StorePeriod.objects.create(store=store, vendor=vendor, region=region, since=now)
    except IntegrityError:
        return False  # another machine was faster and wrote the same
    return True


def periods() -> Periods:
    """Return every store that was ever in use, oldest first."""
    return list(StorePeriod.objects.order_by("since"))


def held(periods: Periods, *, since: dt.datetime, until: dt.datetime | None) -> Periods:
    """Return the stores that held an object, oldest first.

    Args:
        periods: every store that was ever in use, oldest first; looked up once for many objects.
        since: when it was sealed.
        until: when it was destroyed; None while it is there.
    """
    overlapping = [
        one for one in periods if (one.until is None or one.until > since) and (until is None or one.since < until)
    ]
    # What was sealed before the first note lay in the store that was noted first.
    return overlapping or periods[:1]
