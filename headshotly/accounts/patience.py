"""How often something may be tried. Counted in the database, so that every process counts the same.

Keys are blinded and always name the client, so that nobody's failures make somebody else wait.
"""

import datetime as dt
import ipaddress
from dataclasses import dataclass

from django.db import transaction

from headshotly.accounts.errors import TooManyAttempts
from headshotly.accounts.models import SignInAttempt
from headshotly.policy import clock
from headshotly.vault import services as vault

FORGOTTEN_AFTER = dt.timedelta(hours=24)
ASKED_MOST, ASKED_WINDOW = 120, dt.timedelta(minutes=10)  # challenges of one client, each of which is a row
_DOUBLINGS_MAX = 20
_IPV6_HOUSEHOLD = 64  # bits: one subscriber holds at least a /64 (RFC 6177)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures are free, and how long one waits at most after more.

    Attributes:
        free: failures that cost nothing.
        longest: longest wait between two tries.
    """

    free: int
    longest: dt.timedelta


SIGN_IN = Patience(free=5, longest=dt.timedelta(minutes=15))
CODE = Patience(free=5, longest=dt.timedelta(minutes=15))
CLIENT = Patience(free=100, longest=dt.timedelta(minutes=5))


def key(what: str, *parts: str) -> bytes:
    """Return the blinded key (32 bytes) under which tries of one thing are counted."""
    return vault.blind_index(field="accounts.attempt", value="|".join((what, *parts)))


def network(client: str) -> str:
    """Return the part of a network address that one subscriber cannot change at will."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_HOUSEHOLD), strict=False))
    return str(address)


def _waits(attempt: SignInAttempt, patience: Patience, moment: dt.datetime) -> bool:
    if attempt.failures < patience.free or moment - attempt.last_at >= FORGOTTEN_AFTER:
        return False
    doublings = min(attempt.failures - patience.free, _DOUBLINGS_MAX)
    return moment < attempt.last_at + min(patience.longest, dt.timedelta(seconds=2**doublings))


def _too_many() -> TooManyAttempts:
    return TooManyAttempts("That was tried too often from here. Please wait a few minutes.")


def require(counted: bytes, patience: Patience) -> None:
    """Pass unless this failed too often a moment ago; counts nothing.

    Raises:
        TooManyAttempts: says to wait.
    """
    attempt = SignInAttempt.objects.filter(key=counted).first()
    if attempt is not None and _waits(attempt, patience, clock.now()):
        raise _too_many()


def spend(counted: bytes, patience: Patience) -> None:
    """Count one try before it is looked at, so that a burst of simultaneous guesses gains nothing.

    The caller forgets the key on success. A crash before that leaves one try counted too many.

    Raises:
        TooManyAttempts: says to wait.
    """
    moment = clock.now()
    with transaction.atomic():
        attempt, _ = SignInAttempt.objects.select_for_update().get_or_create(key=counted, defaults={"last_at": moment})
        if _waits(attempt, patience, moment):
            raise _too_many()
        stale = moment - attempt.last_at >= FORGOTTEN_AFTER
        attempt.failures = 1 if stale else attempt.failures + 1
        attempt.last_at = moment
        attempt.save(update_fields=["failures", "last_at"])


def count(counted: bytes) -> None:
    """Count one failure; failures of yesterday are forgotten."""
    moment = clock.now()
    with transaction.atomic():
        SignInAttempt.objects.filter(last_at__lt=moment - FORGOTTEN_AFTER).delete()
        attempt, _ = SignInAttempt.objects.select_for_update().get_or_create(key=counted, defaults={"last_at": moment})
        attempt.failures += 1
        attempt.last_at = moment
        attempt.save(update_fields=["failures", "last_at"])


def forget(counted: bytes) -> None:
    """Forget the failures: it succeeded."""
    SignInAttempt.objects.filter(key=counted).delete()


def within(counted: bytes, *, most: int, window: dt.timedelta) -> bool:
    """Count one use and say whether it is among the first ``most`` of its window.

    Args:
        counted: from ``key``.
        most: uses a window has.
        window: how long a window lasts, from its first use; at most ``FORGOTTEN_AFTER``.
    """
    moment = clock.now()
    with transaction.atomic():
        row, _ = SignInAttempt.objects.select_for_update().get_or_create(key=counted, defaults={"last_at": moment})
        if moment - row.last_at >= window:
            row.failures, row.last_at = 0, moment
        row.failures += 1
        row.save(update_fields=["failures", "last_at"])
    return row.failures <= most


def require_within(counted: bytes) -> None:
    """Count one question of one client that costs us something, and pass while there are not too many.

    Raises:
        TooManyAttempts: says to wait.
    """
    if not within(counted, most=ASKED_MOST, window=ASKED_WINDOW):
        raise _too_many()
