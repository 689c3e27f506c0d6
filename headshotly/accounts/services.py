"""Accounts: signing up, confirming, signing in, resetting, leaving."""

import datetime as dt
import uuid
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction

from headshotly.accounts import links, passwords
from headshotly.accounts.addresses import normalise
from headshotly.accounts.errors import InputRefused, SignInRefused, TooManyAttempts
from headshotly.accounts.models import Customer, SignInAttempt
from headshotly.audit import services as audit
from headshotly.audit.actor import VISITOR, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.vault import services as vault
from headshotly.vendors import mail

EMAIL_FIELD = "accounts.email"
NAME_FIELD = "accounts.name"
NAME_MAX = 80
FAILURES_FREE = 5
WAIT_LONGEST = dt.timedelta(minutes=15)
_SAME_ANSWER = "The address or the password is not right, or the address is not confirmed yet."


def _index(address: str) -> bytes:
    return vault.blind_index(field=EMAIL_FIELD, value=address)


def _url(path: str) -> str:
    return f"{configuration.current().public_url}{path}"


def _checked_name(name: str) -> str:
    spelled = " ".join(name.split())
    if not spelled or len(spelled) > NAME_MAX:
        raise InputRefused(f"Please give a name of at most {NAME_MAX} characters.", field="name")
    return spelled


def sign_up(*, actor: Actor, email: str, password: str, name: str) -> None:
    """Open an account and mail a confirmation link; answer the same for an address that has one.

    Args:
        actor: who asks; a visitor.
        email: as typed.
        password: as typed.
        name: as typed.

    Raises:
        InputRefused: a field cannot be accepted.
        MailNotSent: the account may exist; signing up again sends another link.
    """
    address = normalise(email)
    called = _checked_name(name)
    passwords.require_strong(password, about=(address, called))
    hashed = make_password(password)  # the slow part, done for known addresses too
    customer = Customer.objects.filter(email_index=_index(address)).first()
    if customer is None:
        customer = _create(actor=actor, address=address, name=called, hashed=hashed)
    elif customer.confirmed_at is None:
        _begin_anew(customer, name=called, hashed=hashed)
    if customer is None or customer.confirmed_at is not None:
        _tell_known_address(address, customer)
        return
    _mail_confirmation(customer, address)


def _create(*, actor: Actor, address: str, name: str, hashed: str) -> Customer | None:
    """Make the key, then the row. A crash in between leaves a key that opens nothing."""
    subject = uuid.uuid4()
    vault.create_customer_key(actor=actor, subject=subject)
    try:
        with transaction.atomic():
            customer = Customer.objects.create(
                id=subject,
                email_sealed=vault.seal_field(subject=subject, field=EMAIL_FIELD, text=address),
                email_index=_index(address),
                name_sealed=vault.seal_field(subject=subject, field=NAME_FIELD, text=name),
                password=hashed,
                created_at=clock.now(),
            )
            audit.record(actor=actor, act=Act.ACCOUNT_CREATED, subject=subject)
    except IntegrityError:
        return None  # somebody signed up with this address a moment earlier
    return customer


def _begin_anew(customer: Customer, *, name: str, hashed: str) -> None:
    """Let the latest sign-up count while nobody has shown that the address is theirs."""
    sealed = vault.seal_field(subject=customer.id, field=NAME_FIELD, text=name)
    Customer.objects.filter(id=customer.id, confirmed_at__isnull=True).update(password=hashed, name_sealed=sealed)


def _mail_confirmation(customer: Customer, address: str) -> None:
    link = _url(f"/account/confirm/{links.make(customer, 'confirm')}/")
    mail.send(
        to=address,
        subject="Please confirm your address",
        text=f"Welcome. Please open this link within three days to confirm that this address is yours:\n\n{link}\n\n"
        "If you did not sign up, do nothing: the account stays closed.",
        about=customer.id,
    )


def _tell_known_address(address: str, customer: Customer | None) -> None:
    mail.send(
        to=address,
        subject="You already have an account",
        text="Somebody, probably you, tried to sign up with this address. It has an account already.\n\n"
        f"Sign in: {_url('/account/sign-in/')}\nForgot the password: {_url('/account/reset/')}",
        about=customer.id if customer else None,
    )


def confirm(*, token: str, password: str) -> Customer:
    """Confirm an address by the link that was mailed to it and the password chosen at sign-up.

    Without the password, somebody could sign up with another's address and wait for them to open the link.

    Raises:
        LinkExpired: the link does not work any more.
        InputRefused: the password is not the one chosen at sign-up.
        TooManyAttempts: it was guessed too often.
    """
    customer = links.read(token, "confirm")
    attempt = vault.blind_index(field="accounts.attempt", value=f"confirm|{customer.id}")
    _require_patience(attempt)
    if not verify_password(customer, password):
        _count_failure(attempt)
        raise InputRefused("This is not the password chosen when signing up.", field="password")
    with transaction.atomic():
        changed = Customer.objects.filter(id=customer.id, confirmed_at__isnull=True).update(confirmed_at=clock.now())
        if changed:
            actor = Actor(kind="customer", id=customer.id)
            audit.record(actor=actor, act=Act.ACCOUNT_CONFIRMED, subject=customer.id)
    SignInAttempt.objects.filter(key=attempt).delete()
    customer.refresh_from_db()
    return customer


@enforces("10.1")
def verify_sign_in(*, email: str, password: str, client: str) -> Customer:
    """Return the customer whose address and password these are; the session is the caller's business.

    Unknown addresses cost the same work and get the same answer.

    Args:
        email: as typed.
        password: as typed.
        client: network address of the client; only its blinded form is kept.

    Raises:
        SignInRefused: they do not belong together, or the address is not confirmed.
        TooManyAttempts: this client failed too often with this address.
    """
    try:
        address = normalise(email)
    except InputRefused:
        raise SignInRefused(_SAME_ANSWER) from None
    attempt = vault.blind_index(field="accounts.attempt", value=f"{address}|{client}")
    _require_patience(attempt)
    customer = Customer.objects.filter(email_index=_index(address), is_active=True).first()
    typed = password[: passwords.LONGEST + 1]
    right = check_password(typed, customer.password if customer else _decoy())
    if not (right and customer and customer.confirmed_at):
        _count_failure(attempt)
        audit.record(
            actor=VISITOR,
            act=Act.SIGN_IN_FAILED,
            subject=customer.id if customer else None,
            outcome=Outcome.REFUSED,
        )
        raise SignInRefused(_SAME_ANSWER)
    SignInAttempt.objects.filter(key=attempt).delete()
    audit.record(actor=Actor(kind="customer", id=customer.id), act=Act.SIGN_IN_SUCCEEDED, subject=customer.id)
    return customer


_decoy_hash: list[str] = []


def _decoy() -> str:
    """Return a hash to check against when there is no account, so that both take as long."""
    if not _decoy_hash:
        _decoy_hash.append(make_password(uuid.uuid4().hex))
    return _decoy_hash[0]


def _require_patience(key: bytes) -> None:
    attempt = SignInAttempt.objects.filter(key=key).first()
    if attempt is None or attempt.failures < FAILURES_FREE:
        return
    wait = min(WAIT_LONGEST, dt.timedelta(seconds=2 ** min(attempt.failures - FAILURES_FREE, 10)))
    if clock.now() < attempt.last_at + wait:
        raise TooManyAttempts("That was tried too often from here. Please wait a few minutes.")


def _count_failure(key: bytes) -> None:
    with transaction.atomic():
        attempt, _ = SignInAttempt.objects.select_for_update().get_or_create(key=key, defaults={"last_at": clock.now()})
        attempt.failures += 1
        attempt.last_at = clock.now()
        attempt.save(update_fields=["failures", "last_at"])


def verify_password(customer: Customer, password: str) -> bool:
    """Say whether a password is the customer's, for sensitive acts."""
    return check_password(password[: passwords.LONGEST + 1], customer.password)


def ask_reset(*, email: str) -> None:
    """Mail a link to choose a new password, if the address has a confirmed account; answer the same if not."""
    try:
        address = normalise(email)
    except InputRefused:
        return
    customer = Customer.objects.filter(email_index=_index(address), is_active=True, confirmed_at__isnull=False).first()
    if customer is None:
        mail.send(
            to=address,
            subject="There is no account with this address",
            text="Somebody asked for a new password for this address. It has no account here, so nothing was changed.",
            about=None,
        )
        return
    link = _url(f"/account/reset/{links.make(customer, 'reset')}/")
    mail.send(
        to=address,
        subject="Choose a new password",
        text=f"Open this link within one hour to choose a new password:\n\n{link}\n\n"
        "If you did not ask for it, do nothing: your password stays as it is.",
        about=customer.id,
    )


def reset_password(*, token: str, password: str) -> Customer:
    """Set a new password by the mailed link; every session of the customer ends, since the hash changed.

    Raises:
        LinkExpired: the link does not work any more.
        InputRefused: the password is not good enough.
    """
    customer = links.read(token, "reset")
    _set_password(customer, password)
    return customer


def change_password(*, customer: Customer, current: str, password: str) -> None:
    """Set a new password after the current one was given.

    Raises:
        InputRefused: the current one is wrong, or the new one is not good enough.
    """
    if not verify_password(customer, current):
        raise InputRefused("This is not your current password.", field="current")
    _set_password(customer, password)


def _set_password(customer: Customer, password: str) -> None:
    passwords.require_strong(password)
    if verify_password(customer, password):
        raise InputRefused("Please choose a password you did not use here before.", field="password")
    hashed = make_password(password)
    with transaction.atomic():
        Customer.objects.filter(id=customer.id).update(password=hashed)
        actor = Actor(kind="customer", id=customer.id)
        audit.record(actor=actor, act=Act.PASSWORD_CHANGED, subject=customer.id)
    customer.password = hashed


def change_name(*, actor: Actor, customer: Customer, name: str) -> None:
    """Replace the sealed name (clause 1.2.c, the right to correct).

    Raises:
        InputRefused: it is empty or too long.
    """
    sealed = vault.seal_field(subject=customer.id, field=NAME_FIELD, text=_checked_name(name))
    with transaction.atomic():
        Customer.objects.filter(id=customer.id).update(name_sealed=sealed)
        audit.record(actor=actor, act=Act.NAME_CHANGED, subject=customer.id)


def record_sign_out(*, actor: Actor, subject: UUID) -> None:
    """Journal that a session was ended by its owner."""
    audit.record(actor=actor, act=Act.SIGNED_OUT, subject=subject)


def delete_account(*, actor: Actor, subject: UUID) -> None:
    """Remove the account's row. Its sessions die with it; the vault's shredding is the caller's, and comes first."""
    with transaction.atomic():
        removed, _ = Customer.objects.filter(id=subject).delete()
        if removed:
            audit.record(actor=actor, act=Act.ACCOUNT_DELETED, subject=subject)
