"""Access tokens for customers' own programs: scoped, expiring, kept as hashes, recognisable where they leak."""

import datetime as dt
import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from headshotly.access.bearers import SCOPES, Bearer
from headshotly.accounts import selectors as accounts
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.integrations.errors import NotFound, TokenNotMade
from headshotly.integrations.models import TOKEN_NAME, AccessToken
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault import services as vault

PREFIX = "hsc_"
PATTERN = re.compile(r"hsc_[0-9A-Za-z]{49}")  # for secret scanners; the last six letters are a checksum
DAYS_MAX = 365
TOKENS_MAX = 20
NAME_MAX = 60
USE_NOTED_EVERY = dt.timedelta(minutes=1)
_LETTERS = string.digits + string.ascii_letters
_RANDOM, _CHECK = 43, 6  # 62 ** 43 is more than 2 ** 256


def _checksum(body: str) -> str:
    """Return six letters over the random part, as GitHub's tokens have: a scanner need ask nobody."""
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_LETTERS))
        letters = _LETTERS[rest] + letters
    return letters


def looks_genuine(token: str) -> bool:
    """Say whether a text has the form and checksum of a token; whether it is one, only ``recognise`` says."""
    if PATTERN.fullmatch(token) is None:
        return False
    body = token[len(PREFIX) :]
    return _checksum(body[:_RANDOM]) == body[_RANDOM:]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _checked(name: str, scopes: Collection[str], days: int) -> str:
    called = " ".join(name.split())
    if not called or len(called) > NAME_MAX:
        raise TokenNotMade(f"Please give the token a name of at most {NAME_MAX} characters.")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise TokenNotMade("Please choose what the token may do.")
    if not 1 <= days <= DAYS_MAX:
        raise TokenNotMade(f"A token is valid for 1 to {DAYS_MAX} days.")
    return called


@enforces("2.4.a")
def issue(*, actor: Actor, subject: UUID, name: str, scopes: Collection[str], days: int) -> str:
    """Return a new token, shown once and kept nowhere; whoever asks has just proved again who they are.

    Args:
        actor: the customer.
        subject: whose token it will be.
        name: what they call it; sealed under their key.
        scopes: what it may do, of ``SCOPES``; at least one.
        days: how long it is valid, at most a year.

    Raises:
        TokenNotMade: the name, the scopes or the time are not possible, or there are too many tokens already.
    """
    called = _checked(name, scopes, days)
    body = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
    token = f"{PREFIX}{body}{_checksum(body)}"
    moment = clock.now()
    with transaction.atomic():
        if len(living(subject)) >= TOKENS_MAX:
            raise TokenNotMade(f"You have {TOKENS_MAX} tokens, which is the most. Please revoke one first.")
        made = AccessToken.objects.create(
            subject=subject,
            token_sha256=_hash(token),
            tail=token[-4:],
            name=vault.seal_field(subject=subject, field=TOKEN_NAME, text=called),
            scopes=sorted(set(scopes)),
            issued_at=moment,
            expires_at=moment + dt.timedelta(days=days),
        )
        audit.record(actor=actor, act=Act.ACCESS_TOKEN_ISSUED, subject=subject, purpose=" ".join(made.scopes))
    return token


@enforces("2.4.a")
def recognise(token: str) -> Bearer | None:
    """Return who shows a token and what it may do; None where it is not valid or its owner may not come in.

    Its first use is journalled; later ones only move the time of the last use, at most once a minute.
    """
    if not looks_genuine(token):
        return None
    moment = clock.now()
    found = AccessToken.objects.filter(
        token_sha256=_hash(token), revoked_at__isnull=True, expires_at__gt=moment
    ).first()
    owner = accounts.customer(found.subject) if found is not None else None
    if found is None or owner is None or not owner.is_active or owner.confirmed_at is None:
        return None
    _note_use(found, moment)
    return Bearer(token_id=found.id, subject=found.subject, scopes=frozenset(found.scopes), expires_at=found.expires_at)


def _note_use(found: AccessToken, moment: dt.datetime) -> None:
    if found.last_used_at is not None and moment - found.last_used_at < USE_NOTED_EVERY:
        return
    with transaction.atomic():
        mine = AccessToken.objects.filter(id=found.id)
        first = mine.filter(last_used_at__isnull=True).update(last_used_at=moment)
        if first:
            actor = Actor(kind="customer", id=found.subject, role="token")
            audit.record(actor=actor, act=Act.ACCESS_TOKEN_FIRST_USED, subject=found.subject)
        else:
            mine.update(last_used_at=moment)


def living(subject: UUID) -> list[AccessToken]:
    """Return a customer's valid tokens, newest first."""
    mine = AccessToken.objects.filter(subject=subject, revoked_at__isnull=True, expires_at__gt=clock.now())
    return list(mine.order_by("-issued_at"))


def revoke(*, actor: Actor, subject: UUID, token_id: UUID) -> None:
    """Revoke one of a customer's tokens, at once and for good; one that is revoked stays so.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    with transaction.atomic():
        mine = AccessToken.objects.filter(id=token_id, subject=subject)
        if not mine.exists():
            raise NotFound("There is no such token.")
        if mine.filter(revoked_at__isnull=True).update(revoked_at=clock.now()):
            audit.record(actor=actor, act=Act.ACCESS_TOKEN_REVOKED, subject=subject)


@enforces("8.1.a-b")
def revoke_all(*, actor: Actor, subject: UUID) -> int:
    """Revoke every token of a customer, as one does when somebody else may hold one; return how many were valid."""
    with transaction.atomic():
        gone = AccessToken.objects.filter(subject=subject, revoked_at__isnull=True).update(revoked_at=clock.now())
        if gone:
            audit.record(actor=actor, act=Act.ACCESS_TOKEN_REVOKED, subject=subject)
    return gone


def forget_old(*, before: dt.datetime) -> int:
    """Remove the tokens that ended before a moment; return how many."""
    over = AccessToken.objects.filter(expires_at__lt=before) | AccessToken.objects.filter(revoked_at__lt=before)
    return over.delete()[0]
