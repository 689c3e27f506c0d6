"""Passkeys of members of staff; a customer's passkey is in another table and never opens this door."""

import secrets
from uuid import UUID

from django.db import IntegrityError, transaction

from headshotly.access.models import StaffMember, StaffPasskey
from headshotly.accounts import ceremonies
from headshotly.accounts.errors import PasskeyRefused
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

REGISTER, SIGN_IN, PROVE, ENROL = "staff-register", "staff-sign-in", "staff-prove", "staff-enrol"


def of(member: StaffMember) -> list[StaffPasskey]:
    """Return a member's passkeys, oldest first."""
    return list(StaffPasskey.objects.filter(member=member).order_by("created_at"))


def to_register(member: StaffMember, *, ceremony: str = REGISTER) -> str:
    """Return what the browser is asked to make a passkey, as JSON.

    Args:
        member: whose.
        ceremony: ``REGISTER`` from the desk, ``ENROL`` from an enrolment link.
    """
    known = [bytes(one.credential_id) for one in of(member)]
    return ceremonies.registration_options(
        ceremony=ceremony, about=member.id, label=f"Staff {member.handle}", known=known
    )


def add(*, member: StaffMember, answer: str, ceremony: str = REGISTER) -> None:
    """Keep a new passkey. Arguments as for ``to_register``.

    Raises:
        PasskeyRefused: the answer does not hold, or the passkey is known already.
    """
    made = ceremonies.verify_registration(ceremony=ceremony, about=member.id, answer=answer)
    try:
        with transaction.atomic():
            StaffPasskey.objects.create(
                credential_id=made.id,
                member=member,
                public_key=made.public_key,
                sign_count=made.sign_count,
                created_at=clock.now(),
            )
            actor = Actor(kind="staff", id=member.id, role=member.role)
            audit.record(actor=actor, act=Act.STAFF_FACTOR_ADDED, subject=member.id, purpose="passkey")
    except IntegrityError:
        raise PasskeyRefused("This passkey is in use already.") from None


def to_ask(member: StaffMember | None) -> str:
    """Return what the browser is asked to sign in with any passkey, or to prove one of a member's, as JSON."""
    if member is None:
        return ceremonies.authentication_options(ceremony=SIGN_IN, about=None)
    allowed = [bytes(one.credential_id) for one in of(member)]
    return ceremonies.authentication_options(ceremony=PROVE, about=member.id, allowed=allowed)


@enforces("2.4.b")
def use(*, answer: str, about: StaffMember | None) -> StaffMember:
    """Return the active, enrolled member whose passkey signed.

    Raises:
        PasskeyRefused: it is unknown, another's, replayed, or does not verify.
    """
    passkey = (
        StaffPasskey.objects.select_related("member").filter(credential_id=ceremonies.credential_id(answer)).first()
    )
    mine = passkey is not None and (about is None or passkey.member_id == about.id)
    credential = (
        ceremonies.Credential(bytes(passkey.credential_id), bytes(passkey.public_key), passkey.sign_count)
        if passkey is not None and mine
        else None
    )
    count = ceremonies.verify_authentication(
        ceremony=SIGN_IN if about is None else PROVE,
        about=about.id if about else None,
        owner=passkey.member_id if passkey is not None else UUID(int=secrets.randbits(128)),
        answer=answer,
        credential=credential,
    )
    if passkey is None or not passkey.member.is_active or passkey.member.enrolled_at is None:
        raise PasskeyRefused("The passkey was not accepted. Please try again.")
    moved = StaffPasskey.objects.filter(credential_id=passkey.credential_id, sign_count=passkey.sign_count)
    if moved.update(sign_count=count) != 1:  # another request used it at the same moment: a clone or a replay
        raise PasskeyRefused("The passkey was not accepted. Please try again.")
    return passkey.member


def forget_all(member: StaffMember) -> None:
    """Remove every passkey of a member."""
    StaffPasskey.objects.filter(member=member).delete()
