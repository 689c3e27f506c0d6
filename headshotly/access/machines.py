"""Service accounts and their tokens: scoped, expiring, hashed, with the last use shown (clause 2.4.a)."""

import datetime as dt
import hashlib
import re
import secrets
from uuid import UUID

from django.db import IntegrityError, transaction

from headshotly.access.errors import TokenRefused
from headshotly.access.models import ApiToken, ServiceAccount, StaffMember
from headshotly.access.rights import MACHINE_RIGHTS
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

PREFIX = "hsy_"  # lets secret scanners recognise a leaked token
DAYS_MAX = 365
_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
_USE_NOTED_EVERY = dt.timedelta(minutes=1)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _actor(member: StaffMember) -> Actor:
    return Actor(kind="staff", id=member.id, role=member.role)


def create(*, member: StaffMember, name: str) -> ServiceAccount:
    """Make a service account; without a token it can do nothing.

    Raises:
        TokenRefused: the name is taken or is none.
    """
    if not _NAME.fullmatch(name):
        raise TokenRefused("A name has 2 to 40 lower-case letters, digits or hyphens and begins with a letter.")
    try:
        with transaction.atomic():
            account = ServiceAccount.objects.create(name=name, created_by=member, created_at=clock.now())
            audit.record(actor=_actor(member), act=Act.SERVICE_ACCOUNT_CREATED, purpose=name)
    except IntegrityError:
        raise TokenRefused(f"There already is a service account called {name}.") from None
    return account


def issue(*, member: StaffMember, account_id: UUID, rights: list[str], days: int) -> str:
    """Return a new token, shown once.

    Args:
        member: who issues it.
        account_id: for which service account.
        rights: what it may do; at least one of ``MACHINE_RIGHTS``.
        days: how long, at most a year.

    Raises:
        TokenRefused: the rights, the time or the account are not possible.
    """
    account = ServiceAccount.objects.filter(id=account_id, is_active=True).first()
    if account is None or not rights or not set(rights) <= MACHINE_RIGHTS or not 1 <= days <= DAYS_MAX:
        raise TokenRefused(f"A token has an account, at least one right, and 1 to {DAYS_MAX} days.")
    token = PREFIX + secrets.token_urlsafe(32)
    moment = clock.now()
    with transaction.atomic():
        ApiToken.objects.create(
            token_sha256=_hash(token),
            account=account,
            rights=sorted(set(rights)),
            issued_at=moment,
            expires_at=moment + dt.timedelta(days=days),
        )
        audit.record(actor=_actor(member), act=Act.TOKEN_ISSUED, purpose=account.name)
    return token


def revoke(*, member: StaffMember, token_sha256: bytes) -> None:
    """Revoke a token; one that is revoked already stays so."""
    revoke_as(actor=_actor(member), token_sha256=token_sha256)


def revoke_as(*, actor: Actor, token_sha256: bytes) -> bool:
    """Revoke a token in the name of whoever is given, also the house itself; return whether it was valid."""
    with transaction.atomic():
        living = ApiToken.objects.filter(token_sha256=token_sha256, revoked_at__isnull=True)
        changed = living.update(revoked_at=clock.now())
        if changed:
            audit.record(actor=actor, act=Act.TOKEN_REVOKED)
    return bool(changed)


@enforces("8.1.a-b")
def suspend(*, actor: Actor, account_id: UUID) -> bool:
    """Stop a service account with all its tokens for the time being; return whether it was in use."""
    return _switch(actor, account_id, to=False, act=Act.SERVICE_ACCOUNT_SUSPENDED)


def resume(*, actor: Actor, account_id: UUID) -> bool:
    """Let a suspended service account work again; return whether it was suspended."""
    return _switch(actor, account_id, to=True, act=Act.SERVICE_ACCOUNT_RESUMED)


def _switch(actor: Actor, account_id: UUID, *, to: bool, act: Act) -> bool:
    with transaction.atomic():
        changed = ServiceAccount.objects.filter(id=account_id, is_active=not to).update(is_active=to)
        if changed:
            audit.record(actor=actor, act=act, purpose=ServiceAccount.objects.get(id=account_id).name)
    return bool(changed)


@enforces("2.4.a")
def account_of(authorization: str, *, right: str) -> ServiceAccount:
    """Return the service account whose token an ``Authorization`` header carries.

    Raises:
        TokenRefused: there is none, it is expired or revoked, or its scope does not include the right.
    """
    scheme, _, token = authorization.partition(" ")
    moment = clock.now()
    found = (
        ApiToken.objects.select_related("account")
        .filter(token_sha256=_hash(token), revoked_at__isnull=True, expires_at__gt=moment, account__is_active=True)
        .first()
    )
    if scheme != "Bearer" or found is None or right not in found.rights:
        raise TokenRefused("This needs a token with the right scope.")
    if found.last_used_at is None or moment - found.last_used_at >= _USE_NOTED_EVERY:
        ApiToken.objects.filter(token_sha256=found.token_sha256).update(last_used_at=moment)
    return found.account


def tokens() -> list[ApiToken]:
    """Return every token that is not revoked, newest first."""
    return list(ApiToken.objects.select_related("account").filter(revoked_at__isnull=True).order_by("-issued_at"))


def accounts() -> list[ServiceAccount]:
    """Return every active service account, by name."""
    return list(ServiceAccount.objects.filter(is_active=True).order_by("name"))
