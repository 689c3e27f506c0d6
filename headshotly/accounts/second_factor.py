"""A customer's second factors: authenticator app, passkeys, recovery codes (clause 10.2)."""

import secrets
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from headshotly.accounts import ceremonies, patience, recovery, totp
from headshotly.accounts.errors import InputRefused, PasskeyRefused
from headshotly.accounts.models import Customer, Passkey, RecoveryCode
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant

TOTP_FIELD = "accounts.totp"
REGISTER, SIGN_IN, SECOND = "customer-register", "customer-sign-in", "customer-second-factor"
PROVE = "customer-prove"
PASSKEYS_MAX = 20


def _actor(customer: Customer) -> Actor:
    return Actor(kind="customer", id=customer.id)


def needed(customer: Customer) -> bool:
    """Say whether a password alone does not sign this customer in."""
    return bool(customer.totp_sealed) or Passkey.objects.filter(customer=customer).exists()


@enforces("10.2")
def enrol_totp(*, customer: Customer, secret: str, code: str) -> list[str]:
    """Take an authenticator app into use once it shows the right code.

    Args:
        customer: whose.
        secret: base32, offered by the page and not kept until now.
        code: what the app shows.

    Returns:
        Recovery codes to write down, empty where the customer has some already.

    Raises:
        InputRefused: the code is wrong.
    """
    step = totp.matching_step(secret, code)
    if step is None:
        raise InputRefused("The code does not match. Check the clock of your phone and type the newest.", field="code")
    sealed = vault.seal_field(subject=customer.id, field=TOTP_FIELD, text=secret)
    with transaction.atomic():
        Customer.objects.filter(id=customer.id).update(totp_sealed=sealed, totp_last_step=step)
        audit.record(actor=_actor(customer), act=Act.SECOND_FACTOR_ADDED, subject=customer.id, purpose="app")
        return _first_codes(customer)


def remove_totp(*, customer: Customer) -> None:
    """Stop using the authenticator app; recovery codes go with the last factor."""
    with transaction.atomic():
        if Customer.objects.filter(id=customer.id).exclude(totp_sealed=b"").update(totp_sealed=b""):
            audit.record(actor=_actor(customer), act=Act.SECOND_FACTOR_REMOVED, subject=customer.id, purpose="app")
        _tidy_codes(customer)


@enforces("10.2")
def use_totp(*, customer: Customer, code: str, warrant: Warrant) -> bool:
    """Accept a code once: of two simultaneous requests with the same code, the update lets one through."""
    if not customer.totp_sealed:
        return False
    secret = vault.open_field(
        subject=customer.id, field=TOTP_FIELD, sealed=bytes(customer.totp_sealed), warrant=warrant
    )
    step = totp.matching_step(secret, code)
    if step is None:
        return False
    fresh = Customer.objects.filter(id=customer.id, totp_last_step__lt=step).update(totp_last_step=step)
    return fresh == 1


def use_recovery_code(*, customer: Customer, code: str) -> bool:
    """Accept a recovery code once."""
    with transaction.atomic():
        used = RecoveryCode.objects.filter(index=recovery.index(code), customer=customer, used_at__isnull=True).update(
            used_at=clock.now()
        )
        if used:
            audit.record(actor=_actor(customer), act=Act.RECOVERY_CODE_USED, subject=customer.id)
    return used == 1


@enforces("10.2")
def answer(*, customer: Customer, code: str, passkey: str, warrant: Warrant, known_browser: bool = False) -> str:
    """Accept one second factor of a customer whose password was right.

    Args:
        customer: who.
        code: what was typed: an app's code or a recovery code; empty with a passkey.
        passkey: the browser's JSON; empty with a code.
        warrant: of purpose ``second-factor``.
        known_browser: this browser signed in to this account before; it is counted apart, so that a thief of the
            password who guesses codes elsewhere does not make the owner wait.

    Returns:
        Which one it was: ``app``, ``recovery-code`` or ``passkey``.

    Raises:
        InputRefused: the code is wrong or was used before.
        PasskeyRefused: the passkey does not verify.
        TooManyAttempts: codes were guessed too often; only who knows the password can cause that.
    """
    if passkey:
        use_passkey(answer=passkey, about=customer)
        return "passkey"
    attempt = patience.key("second-factor", str(customer.id), "known" if known_browser else "unknown")
    patience.spend(attempt, patience.CODE)
    if use_totp(customer=customer, code=code, warrant=warrant):
        patience.forget(attempt)
        return "app"
    if use_recovery_code(customer=customer, code=code):
        patience.forget(attempt)
        return "recovery-code"
    raise InputRefused("The code is not right, or it was used before.", field="code")


def codes_left(customer: Customer) -> int:
    """Return how many recovery codes are unused."""
    return RecoveryCode.objects.filter(customer=customer, used_at__isnull=True).count()


def renew_codes(*, customer: Customer) -> list[str]:
    """Replace all recovery codes and return the new ones, shown once."""
    codes = recovery.new_codes()
    with transaction.atomic():
        RecoveryCode.objects.filter(customer=customer).delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(index=recovery.index(code), customer=customer) for code in codes)
        audit.record(actor=_actor(customer), act=Act.RECOVERY_CODES_RENEWED, subject=customer.id)
    return codes


def _first_codes(customer: Customer) -> list[str]:
    return [] if codes_left(customer) else renew_codes(customer=customer)


def _tidy_codes(customer: Customer) -> None:
    if not needed(Customer.objects.get(id=customer.id)):
        RecoveryCode.objects.filter(customer=customer).delete()


def passkeys_of(customer: Customer) -> list[Passkey]:
    """Return a customer's passkeys, oldest first."""
    return list(Passkey.objects.filter(customer=customer).order_by("created_at"))


def passkey_to_register(customer: Customer) -> str:
    """Return what the browser is asked to make a passkey, as JSON."""
    known = [bytes(passkey.credential_id) for passkey in passkeys_of(customer)]
    if len(known) >= PASSKEYS_MAX:
        raise PasskeyRefused(f"You have {PASSKEYS_MAX} passkeys, which is the most. Please remove one first.")
    return ceremonies.registration_options(
        ceremony=REGISTER, about=customer.id, label=_("Your HeadShotly account"), known=known
    )


def add_passkey(*, customer: Customer, answer: str) -> list[str]:
    """Keep a new passkey; returns recovery codes to write down, empty where there are some already.

    Raises:
        PasskeyRefused: the answer does not hold, or the passkey is known already.
    """
    made = ceremonies.verify_registration(ceremony=REGISTER, about=customer.id, answer=answer)
    try:
        with transaction.atomic():
            Passkey.objects.create(
                credential_id=made.id,
                customer=customer,
                public_key=made.public_key,
                sign_count=made.sign_count,
                created_at=clock.now(),
            )
            audit.record(actor=_actor(customer), act=Act.SECOND_FACTOR_ADDED, subject=customer.id, purpose="passkey")
            return _first_codes(customer)
    except IntegrityError:
        raise PasskeyRefused("This passkey is in use already.") from None


def remove_passkey(*, customer: Customer, credential_id: bytes) -> None:
    """Remove one of the customer's own passkeys; another's, or none, is silently not there."""
    with transaction.atomic():
        removed, _rows = Passkey.objects.filter(customer=customer, credential_id=credential_id).delete()
        if removed:
            audit.record(actor=_actor(customer), act=Act.SECOND_FACTOR_REMOVED, subject=customer.id, purpose="passkey")
        _tidy_codes(customer)


def passkey_to_ask(customer: Customer | None, *, ceremony: str = SECOND) -> str:
    """Return what the browser is asked to sign in with any passkey, or with one of a customer's, as JSON.

    Args:
        customer: whose passkeys will do, None for anybody's at the door.
        ceremony: what it is for, where the customer is known: ``SECOND`` or ``PROVE``.
    """
    if customer is None:
        return ceremonies.authentication_options(ceremony=SIGN_IN, about=None)
    allowed = [bytes(passkey.credential_id) for passkey in passkeys_of(customer)]
    return ceremonies.authentication_options(ceremony=ceremony, about=customer.id, allowed=allowed)


@enforces("10.2")
def use_passkey(*, answer: str, about: Customer | None, ceremony: str = SECOND) -> Customer:
    """Return the active, confirmed customer whose passkey signed.

    Args:
        answer: the browser's JSON.
        about: the customer it must belong to, None at the door.
        ceremony: what it was asked for, where the customer is known.

    Raises:
        PasskeyRefused: it is unknown, another's, replayed, or does not verify.
    """
    passkey = Passkey.objects.select_related("customer").filter(credential_id=ceremonies.credential_id(answer)).first()
    mine = passkey is not None and (about is None or passkey.customer_id == about.id)
    credential = (
        ceremonies.Credential(bytes(passkey.credential_id), bytes(passkey.public_key), passkey.sign_count)
        if passkey is not None and mine
        else None
    )
    owner: UUID = passkey.customer_id if passkey is not None else UUID(int=secrets.randbits(128))
    count = ceremonies.verify_authentication(
        ceremony=SIGN_IN if about is None else ceremony,
        about=about.id if about else None,
        owner=owner,
        answer=answer,
        credential=credential,
    )
    if passkey is None or not passkey.customer.is_active or passkey.customer.confirmed_at is None:
        raise PasskeyRefused("The passkey was not accepted. Please try again.")
    moved = Passkey.objects.filter(credential_id=passkey.credential_id, sign_count=passkey.sign_count).update(
        sign_count=count, last_used_at=clock.now()
    )
    if not moved:  # another request used it at the same moment: a clone or a replay
        raise PasskeyRefused("The passkey was not accepted. Please try again.")
    return passkey.customer
