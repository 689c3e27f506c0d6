"""Staff: created, enrolled once, signed in with two factors."""

import datetime as dt
import hashlib
import re
import secrets
from uuid import UUID, uuid4

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction

from headshotly.access import grants, passkeys
from headshotly.access.errors import EnrolmentRefused, HandleTaken, PermissionMissing, SeatEmpty, StaffSignInRefused
from headshotly.access.models import EnrolmentLink, Role, StaffMember, StaffSession
from headshotly.access.warrants import staff_self_warrant
from headshotly.accounts import patience, totp
from headshotly.accounts.passwords import LONGEST, require_strong
from headshotly.audit import selectors as journal
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, VISITOR, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.vault import services as vault

LINK_VALID = dt.timedelta(hours=24)
SESSION_VALID = dt.timedelta(hours=8)
TOTP_FIELD = "access.totp"
IDLE_MAX = dt.timedelta(minutes=30)
SEEN_NOTED_EVERY = dt.timedelta(minutes=1)
PROOF_VALID = dt.timedelta(minutes=10)
_HANDLE = re.compile(r"[a-z][a-z0-9-]{1,39}")
_SAME_ANSWER = "Handle, password and code do not belong together."


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


FIRST = "the installation's first"


@enforces("2.4.a", "2.4.b")
def create_staff(*, actor: Actor, handle: str, role: str) -> str:
    """Create a member of staff and return their one-time enrolment link; it is not kept anywhere.

    Args:
        actor: who creates them.
        handle: sign-in name: lower-case letters, digits, hyphens.
        role: one of ``Role``.

    Raises:
        HandleTaken: the handle is taken or is none, or the role does not exist.
    """
    if not _HANDLE.fullmatch(handle):
        raise HandleTaken("A handle has 2 to 40 lower-case letters, digits or hyphens and begins with a letter.")
    if role not in Role.values:
        raise HandleTaken(f"There is no role “{role}”; choose one of {', '.join(Role.values)}.")
    member_id = uuid4()
    # The one creation nobody need explain. The journal decides, not the table: whoever emptied that is told of.
    purpose = role if journal.ever(Act.STAFF_CREATED) else f"{role}, {FIRST}"
    vault.create_customer_key(actor=actor, subject=member_id)
    try:
        with transaction.atomic():
            member = StaffMember.objects.create(id=member_id, handle=handle, role=role, created_at=clock.now())
            audit.record(actor=actor, act=Act.STAFF_CREATED, subject=member_id, purpose=purpose)
            return _new_link(member)
    except IntegrityError as error:
        raise HandleTaken(f"There already is a member of staff called {handle}.") from error


def _new_link(member: StaffMember) -> str:
    token = secrets.token_urlsafe(32)
    EnrolmentLink.objects.filter(member=member, used_at__isnull=True).delete()
    EnrolmentLink.objects.create(token_sha256=_sha256(token), member=member, expires_at=clock.now() + LINK_VALID)
    return f"{configuration.current().public_url}/staff/enrol/{token}/"


def ensure_first_staff() -> str | None:
    """Create the first member of staff where there is none; return their enrolment link, printed once."""
    if StaffMember.objects.exists():
        return None
    return create_staff(actor=SYSTEM, handle="operator", role=Role.OPERATIONS)


@enforces("1.1.c")
def require_officer() -> None:
    """Pass in production only while a Data Protection Officer is appointed.

    Appointed is enough: to enrol, the officer needs the service running. That they did is looked at continually.

    Raises:
        SeatEmpty: nobody is.
    """
    if configuration.current().environment != "production":
        return
    if not StaffMember.objects.filter(role=Role.DPO, is_active=True).exists():
        raise SeatEmpty(
            "Production does not start without a Data Protection Officer. Appoint one first: "
            "headshotly staff create HANDLE --role dpo"
        )


def member_of_link(token: str) -> StaffMember:
    """Return the member an enrolment link is for.

    Raises:
        EnrolmentRefused: it was used, is too old, or never was one.
    """
    link = EnrolmentLink.objects.select_related("member").filter(token_sha256=_sha256(token)).first()
    if link is None or link.used_at is not None or clock.now() >= link.expires_at or not link.member.is_active:
        raise EnrolmentRefused("This enrolment link was used already or is too old. Ask for a new one.")
    return link.member


def totp_secret(token: str) -> str:
    """Return the secret (base32) an enrolment link offers to an authenticator app.

    It is derived from the link, so that it need not be kept before the member has shown that the app has it.
    """
    return totp.derive_secret(vault.blind_index(field="access.enrolment", value=token))


def provisioning_uri(member: StaffMember, token: str) -> str:
    """Return the ``otpauth`` address an authenticator app reads from a QR code."""
    return totp.provisioning_uri(totp_secret(token), name=member.handle, issuer="HeadShotly staff")


@enforces("2.4.b")
def enrol(*, token: str, password: str, code: str) -> StaffMember:
    """Set password and second factor of a new member; the link works once, also when two requests race.

    Raises:
        EnrolmentRefused: the link does not work any more, or the code is wrong.
        InputRefused: the password is not good enough.
    """
    member = member_of_link(token)
    require_strong(password, about=(member.handle,))
    secret = totp_secret(token)
    step = totp.matching_step(secret, code)
    if step is None:
        raise EnrolmentRefused("The code does not match. Check the clock of your phone and type the newest code.")
    sealed = vault.seal_field(subject=member.id, field=TOTP_FIELD, text=secret)
    with transaction.atomic():
        used = EnrolmentLink.objects.filter(token_sha256=_sha256(token), used_at__isnull=True).update(
            used_at=clock.now()
        )
        if not used:
            raise EnrolmentRefused("This enrolment link was used already or is too old. Ask for a new one.")
        StaffMember.objects.filter(id=member.id).update(
            password=make_password(password), totp_sealed=sealed, totp_last_step=step, enrolled_at=clock.now()
        )
        actor = Actor(kind="staff", id=member.id, role=member.role)
        audit.record(actor=actor, act=Act.STAFF_ENROLLED, subject=member.id)
    member.refresh_from_db()
    return member


@enforces("2.4.b")
def enrol_with_passkey(*, token: str, answer: str) -> StaffMember:
    """Enrol a new member with a passkey alone, which verifies its user; there is no password then.

    The link is spent first, in the same transaction: of two requests one counts, and a passkey that does not verify
    leaves the link as it was.

    Args:
        token: from the link.
        answer: the browser's JSON.

    Raises:
        EnrolmentRefused: the link does not work any more.
        PasskeyRefused: the passkey does not verify.
    """
    member = member_of_link(token)
    with transaction.atomic():
        link = EnrolmentLink.objects.filter(token_sha256=_sha256(token), used_at__isnull=True)
        if not link.update(used_at=clock.now()):
            raise EnrolmentRefused("This enrolment link was used already or is too old. Ask for a new one.")
        passkeys.add(member=member, answer=answer, ceremony=passkeys.ENROL)
        StaffMember.objects.filter(id=member.id).update(enrolled_at=clock.now())
        actor = Actor(kind="staff", id=member.id, role=member.role)
        audit.record(actor=actor, act=Act.STAFF_ENROLLED, subject=member.id, purpose="passkey")
    member.refresh_from_db()
    return member


@enforces("2.4.b")
def sign_in(*, handle: str, password: str, code: str, client: str = "") -> str:
    """Return a session token for a member who shows both factors.

    Args:
        handle: as typed.
        password: as typed.
        code: of their authenticator app.
        client: network address of the client; failures of one client make no other wait.

    Raises:
        StaffSignInRefused: one of the three is wrong, or the code was used before.
        TooManyAttempts: this client failed too often with this handle.
    """
    attempt = patience.key("staff", handle, patience.network(client))
    patience.spend(attempt, patience.SIGN_IN)
    member = StaffMember.objects.filter(handle=handle, is_active=True, enrolled_at__isnull=False).first()
    right = check_password(password[: LONGEST + 1], member.password if member else _decoy())
    if member is None or not right or not _use_code(member, code):
        _refused(member)
        raise StaffSignInRefused(_SAME_ANSWER)
    patience.forget(attempt)
    return _start_session(member)


def _refused(member: StaffMember | None) -> None:
    actor = Actor(kind="staff", id=member.id, role=member.role) if member else VISITOR
    audit.record(
        actor=actor,
        act=Act.STAFF_SIGN_IN_FAILED,
        subject=member.id if member else None,
        outcome=Outcome.REFUSED,
    )


_decoy_hash: list[str] = []


def _decoy() -> str:
    if not _decoy_hash:
        _decoy_hash.append(make_password(secrets.token_hex(16)))
    return _decoy_hash[0]


def _use_code(member: StaffMember, code: str) -> bool:
    """Accept a code once: the conditional update lets only one of two simultaneous requests through."""
    if not member.totp_sealed:  # enrolled with a passkey alone
        return False
    warrant = staff_self_warrant(member_id=member.id, role=member.role)
    secret = vault.open_field(subject=member.id, field=TOTP_FIELD, sealed=bytes(member.totp_sealed), warrant=warrant)
    step = totp.matching_step(secret, code)
    if step is None:
        return False
    fresh = StaffMember.objects.filter(id=member.id, totp_last_step__lt=step).update(totp_last_step=step)
    return fresh == 1


def _start_session(member: StaffMember) -> str:
    token = secrets.token_urlsafe(32)
    now = clock.now()
    with transaction.atomic():
        StaffSession.objects.filter(expires_at__lte=now).delete()
        StaffSession.objects.create(
            token_sha256=_sha256(token),
            member=member,
            started_at=now,
            seen_at=now,
            proved_at=now,
            expires_at=now + SESSION_VALID,
        )
        actor = Actor(kind="staff", id=member.id, role=member.role)
        audit.record(actor=actor, act=Act.STAFF_SIGN_IN_SUCCEEDED, subject=member.id)
    return token


def end_session(token: str) -> None:
    """End a staff session; ending one that is not there is harmless."""
    session = StaffSession.objects.select_related("member").filter(token_sha256=_sha256(token)).first()
    if session is None:
        return
    member = session.member
    with transaction.atomic():
        session.delete()
        actor = Actor(kind="staff", id=member.id, role=member.role)
        audit.record(actor=actor, act=Act.STAFF_SIGNED_OUT, subject=member.id)


@enforces("2.4.b")
def session_of(token: str) -> StaffSession | None:
    """Return the living session of an enrolled, active member, and note that it was seen; None otherwise."""
    now = clock.now()
    session = (
        StaffSession.objects.select_related("member").filter(token_sha256=_sha256(token), expires_at__gt=now).first()
    )
    if session is None or not session.member.is_active or session.member.enrolled_at is None:
        return None
    if now - session.seen_at >= IDLE_MAX:
        session.delete()
        return None
    if now - session.seen_at >= SEEN_NOTED_EVERY:
        StaffSession.objects.filter(token_sha256=session.token_sha256).update(seen_at=now)
    return session


def member_of_session(token: str) -> StaffMember | None:
    """Return the enrolled, active member a session token belongs to, or None."""
    session = session_of(token)
    return session.member if session else None


def proved(session: StaffSession) -> bool:
    """Say whether the member showed a second factor a few minutes ago."""
    return clock.now() - session.proved_at < PROOF_VALID


@enforces("2.4.b")
def prove(*, session: StaffSession, code: str = "", passkey: str = "") -> str:
    """Accept a second factor again, before a sensitive act; return the session's new token, the old one is void.

    Raises:
        StaffSignInRefused: the code is wrong or was used before.
        PasskeyRefused: the passkey does not verify.
        TooManyAttempts: it was guessed too often, which only who holds the session can do.
    """
    attempt = patience.key("staff-prove", str(session.member_id))
    patience.spend(attempt, patience.CODE)
    if passkey:
        passkeys.use(answer=passkey, about=session.member)
    elif not _use_code(session.member, code):
        raise StaffSignInRefused("The code is not right, or it was used before.")
    patience.forget(attempt)
    token = secrets.token_urlsafe(32)
    StaffSession.objects.filter(token_sha256=session.token_sha256).update(
        token_sha256=_sha256(token), proved_at=clock.now()
    )
    return token


@enforces("2.4.b")
def sign_in_by_passkey(*, answer: str) -> str:
    """Return a session token for the member whose passkey signed; the passkey has verified its user.

    Raises:
        PasskeyRefused: it is unknown, another's, replayed, or does not verify.
    """
    return _start_session(passkeys.use(answer=answer, about=None))


@enforces("2.4.a", "5.2")
def close(*, actor: Actor, member: StaffMember) -> None:
    """Close a member's account: sessions and grants end at once, the record stays.

    Raises:
        PermissionMissing: nobody closes their own.
    """
    if actor.id == member.id:
        raise PermissionMissing("Nobody closes their own account.")
    with transaction.atomic():
        StaffMember.objects.filter(id=member.id).update(is_active=False, suspended_at=None)
        StaffSession.objects.filter(member=member).delete()
        EnrolmentLink.objects.filter(member=member).delete()
        audit.record(actor=actor, act=Act.STAFF_CLOSED, subject=member.id)
    grants.end_all_of(member=member, because="the account was closed")


@enforces("8.1.a-b")
def suspend(*, actor: Actor, member: StaffMember) -> bool:
    """Shut a member out for the time being: sessions end at once, grants open nothing; return whether they were in.

    Raises:
        PermissionMissing: nobody suspends themselves.
    """
    if actor.id == member.id:
        raise PermissionMissing("Nobody suspends their own account.")
    with transaction.atomic():
        changed = StaffMember.objects.filter(id=member.id, is_active=True).update(
            is_active=False, suspended_at=clock.now()
        )
        StaffSession.objects.filter(member=member).delete()
        if changed:
            audit.record(actor=actor, act=Act.STAFF_SUSPENDED, subject=member.id)
    return bool(changed)


def resume(*, actor: Actor, member_id: UUID) -> bool:
    """Let a suspended member in again; return whether they were suspended. A closed account stays closed."""
    with transaction.atomic():
        changed = StaffMember.objects.filter(id=member_id, is_active=False, suspended_at__isnull=False).update(
            is_active=True, suspended_at=None
        )
        if changed:
            audit.record(actor=actor, act=Act.STAFF_RESUMED, subject=member_id)
    return bool(changed)


@enforces("8.1.a-b")
def end_sessions_of(*, actor: Actor, member: StaffMember) -> int:
    """End every session of a member; return how many there were."""
    with transaction.atomic():
        removed, _ = StaffSession.objects.filter(member=member).delete()
        if removed:
            audit.record(actor=actor, act=Act.STAFF_SESSIONS_ENDED, subject=member.id)
    return removed


@enforces("2.4.b")
def enrol_again(*, actor: Actor, member: StaffMember) -> str:
    """Take away a member's password, factors, sessions and grants, and return a new enrolment link.

    For a lost phone as well as for a stolen one: until they enrol again they can do nothing.

    Raises:
        PermissionMissing: nobody does this to themselves.
    """
    if actor.id == member.id:
        raise PermissionMissing("Somebody else must do this for you.")
    with transaction.atomic():
        StaffMember.objects.filter(id=member.id).update(password="", totp_sealed=b"", enrolled_at=None)
        StaffSession.objects.filter(member=member).delete()
        passkeys.forget_all(member)
        link = _new_link(member)
        audit.record(actor=actor, act=Act.STAFF_CREATED, subject=member.id, purpose="again")
    grants.end_all_of(member=member, because="the second factor was reset")
    return link
