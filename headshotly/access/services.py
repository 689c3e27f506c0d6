"""Staff: created, enrolled once, signed in with two factors."""

import base64
import datetime as dt
import hashlib
import re
import secrets
from uuid import uuid4

import pyotp
from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction
from django.db.models import F

from headshotly.access.errors import EnrolmentRefused, HandleTaken, StaffSignInRefused
from headshotly.access.models import EnrolmentLink, Role, StaffMember, StaffSession
from headshotly.access.warrants import staff_self_warrant
from headshotly.accounts.passwords import LONGEST, require_strong
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.vault import services as vault

LINK_VALID = dt.timedelta(hours=24)
SESSION_VALID = dt.timedelta(hours=8)
TOTP_FIELD = "access.totp"
TOTP_PERIOD = 30  # seconds, RFC 6238
FAILURES_FREE = 5
WAIT = dt.timedelta(minutes=1)
_HANDLE = re.compile(r"[a-z][a-z0-9-]{1,39}")
_SAME_ANSWER = "Handle, password and code do not belong together, or it was tried too often."


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


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
    vault.create_customer_key(actor=actor, subject=member_id)
    try:
        with transaction.atomic():
            member = StaffMember.objects.create(id=member_id, handle=handle, role=role, created_at=clock.now())
            audit.record(actor=actor, act=Act.STAFF_CREATED, subject=member_id, purpose=role)
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
    """Return the secret an enrolment link offers to an authenticator app (base32, 160 bits, RFC 4226 section 4).

    It is derived from the link, so that it need not be kept before the member has shown that the app has it.
    """
    return base64.b32encode(vault.blind_index(field="access.enrolment", value=token)[:20]).decode()


def provisioning_uri(member: StaffMember, token: str) -> str:
    """Return the ``otpauth`` address an authenticator app reads from a QR code."""
    return pyotp.TOTP(totp_secret(token)).provisioning_uri(name=member.handle, issuer_name="HeadShotly staff")


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
    step = _matching_step(secret, code)
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


def _matching_step(secret: str, code: str) -> int | None:
    """Return the time step a code belongs to: the present one or a neighbour (RFC 6238, section 5.2)."""
    typed = code.replace(" ", "")
    present = int(clock.now().timestamp()) // TOTP_PERIOD
    totp = pyotp.TOTP(secret)
    for step in (present, present - 1, present + 1):
        if secrets.compare_digest(totp.at(step * TOTP_PERIOD).encode(), typed.encode()):
            return step
    return None


@enforces("2.4.b")
def sign_in(*, handle: str, password: str, code: str) -> str:
    """Return a session token for a member who shows both factors.

    Raises:
        StaffSignInRefused: one of the three is wrong, or the code was used before.
    """
    member = StaffMember.objects.filter(handle=handle, is_active=True, enrolled_at__isnull=False).first()
    right = check_password(password[:LONGEST], member.password if member else _decoy())
    if member is None or not _may_try(member):
        raise StaffSignInRefused(_SAME_ANSWER)
    if not right or not _use_code(member, code):
        with transaction.atomic():
            StaffMember.objects.filter(id=member.id).update(failures=F("failures") + 1, failed_at=clock.now())
            actor = Actor(kind="staff", id=member.id, role=member.role)
            audit.record(actor=actor, act=Act.STAFF_SIGN_IN_FAILED, subject=member.id, outcome=Outcome.REFUSED)
        raise StaffSignInRefused(_SAME_ANSWER)
    return _start_session(member)


_decoy_hash: list[str] = []


def _decoy() -> str:
    if not _decoy_hash:
        _decoy_hash.append(make_password(secrets.token_hex(16)))
    return _decoy_hash[0]


def _may_try(member: StaffMember) -> bool:
    if member.failures < FAILURES_FREE or member.failed_at is None:
        return True
    return clock.now() >= member.failed_at + WAIT


def _use_code(member: StaffMember, code: str) -> bool:
    """Accept a code once: the conditional update lets only one of two simultaneous requests through."""
    warrant = staff_self_warrant(member_id=member.id, role=member.role)
    secret = vault.open_field(subject=member.id, field=TOTP_FIELD, sealed=bytes(member.totp_sealed), warrant=warrant)
    step = _matching_step(secret, code)
    if step is None:
        return False
    fresh = StaffMember.objects.filter(id=member.id, totp_last_step__lt=step).update(totp_last_step=step)
    return fresh == 1


def _start_session(member: StaffMember) -> str:
    token = secrets.token_urlsafe(32)
    now = clock.now()
    with transaction.atomic():
        StaffMember.objects.filter(id=member.id).update(failures=0, failed_at=None)
        StaffSession.objects.filter(expires_at__lte=now).delete()
        StaffSession.objects.create(
            token_sha256=_sha256(token), member=member, started_at=now, expires_at=now + SESSION_VALID
        )
        actor = Actor(kind="staff", id=member.id, role=member.role)
        audit.record(actor=actor, act=Act.STAFF_SIGN_IN_SUCCEEDED, subject=member.id)
    return token


def end_session(token: str) -> None:
    """End a staff session; ending one that is not there is harmless."""
    StaffSession.objects.filter(token_sha256=_sha256(token)).delete()


def member_of_session(token: str) -> StaffMember | None:
    """Return the enrolled, active member a session token belongs to, or None."""
    session = (
        StaffSession.objects.select_related("member")
        .filter(token_sha256=_sha256(token), expires_at__gt=clock.now())
        .first()
    )
    if session is None or not session.member.is_active or session.member.enrolled_at is None:
        return None
    return session.member
