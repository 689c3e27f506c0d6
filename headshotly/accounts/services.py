"""Accounts: signing up, confirming, signing in, resetting, changing, leaving."""

import datetime as dt
import uuid
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from headshotly.accounts import links, pace, passwords, patience
from headshotly.accounts.addresses import normalise
from headshotly.accounts.errors import InputRefused, LinkExpired, SignInRefused, TooManyAttempts
from headshotly.accounts.fields import EMAIL_FIELD, NAME_FIELD, NEW_EMAIL_FIELD
from headshotly.accounts.models import Customer, CustomerSession, PasskeyChallenge, PastPassword, SignInAttempt
from headshotly.accounts.sessions import kept_key
from headshotly.audit import services as audit
from headshotly.audit.actor import VISITOR, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.wording import language
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant
from headshotly.vendors import mail

NAME_MAX = 80
PASSWORDS_REMEMBERED = 5
MAILS_PER_ADDRESS = 3
MAILS_PER_CLIENT = 20
MAIL_WINDOW = dt.timedelta(hours=1)
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


def sign_up(*, actor: Actor, email: str, password: str, name: str, client: str = "") -> None:
    """Open an account and mail a confirmation link; answer the same, as fast, for an address that has one.

    Args:
        actor: who asks; a visitor.
        email: as typed.
        password: as typed.
        name: as typed.
        client: network address of the client, if there is one; only its blinded form is kept.

    Raises:
        InputRefused: a field cannot be accepted.
        TooManyAttempts: this client opened too many accounts.
        MailNotSent: the account may exist; signing up again sends another link.
    """
    address = normalise(email)
    called = _checked_name(name)
    passwords.require_strong(password, about=(address, called))
    with pace.steady():
        if _may_mail(address, client, what="sign-up"):
            _open_account(actor=actor, address=address, name=called, password=password)


def _may_mail(address: str, client: str, *, what: str) -> bool:
    """Say whether this address may get another mail; beyond that it silently gets none, so that nobody is flooded.

    Each kind of mail is counted by itself: whoever uses one up with somebody else's address takes no other from them,
    and the links in the mails that did go all work.

    Raises:
        TooManyAttempts: this client asked too often, whatever the addresses were.
    """
    if client and not patience.within(
        patience.key("mail-from", patience.network(client)), most=MAILS_PER_CLIENT, window=MAIL_WINDOW
    ):
        raise TooManyAttempts("That was asked too often from here. Please wait an hour.")
    return patience.within(patience.key("mail-to", what, address), most=MAILS_PER_ADDRESS, window=MAIL_WINDOW)


def _open_account(*, actor: Actor, address: str, name: str, password: str) -> None:
    hashed = make_password(password)  # the slow part, done for known addresses too
    customer = Customer.objects.filter(email_index=_index(address)).first()
    if customer is None:
        customer = _create(actor=actor, address=address, name=name, hashed=hashed)
    elif customer.confirmed_at is None:
        _begin_anew(customer, name=name, hashed=hashed)
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
                language=language(),
            )
            audit.record(actor=actor, act=Act.ACCOUNT_CREATED, subject=subject)
    except IntegrityError:
        return None  # somebody signed up with this address a moment earlier
    return customer


def _begin_anew(customer: Customer, *, name: str, hashed: str) -> None:
    """Let the latest sign-up count while nobody has shown that the address is theirs."""
    sealed = vault.seal_field(subject=customer.id, field=NAME_FIELD, text=name)
    Customer.objects.filter(id=customer.id, confirmed_at__isnull=True).update(
        password=hashed, name_sealed=sealed, language=language()
    )


def _mail_confirmation(customer: Customer, address: str) -> None:
    link = _url(f"/account/confirm/{links.make(customer, 'confirm')}/")
    mail.send(
        to=address,
        subject=_("Please confirm your address"),
        text=_(
            "Welcome. Please open this link within three days to confirm that this address is yours:\n\n%(link)s\n\n"
            "If you did not sign up, do nothing: the account stays closed."
        )
        % {"link": link},
        about=customer.id,
    )


def _tell_known_address(address: str, customer: Customer | None) -> None:
    mail.send(
        to=address,
        subject=_("You already have an account"),
        text=_(
            "Somebody, probably you, tried to sign up with this address. It has an account already.\n\n"
            "Sign in: %(sign_in)s\nForgot the password: %(reset)s"
        )
        % {"sign_in": _url("/account/sign-in/"), "reset": _url("/account/reset/")},
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
    attempt = patience.key("confirm", str(customer.id))
    patience.spend(attempt, patience.SIGN_IN)
    if not _is_password(customer, password):
        raise InputRefused("This is not the password chosen when signing up.", field="password")
    with transaction.atomic():
        changed = Customer.objects.filter(id=customer.id, confirmed_at__isnull=True).update(confirmed_at=clock.now())
        if changed:
            actor = Actor(kind="customer", id=customer.id)
            audit.record(actor=actor, act=Act.ACCOUNT_CONFIRMED, subject=customer.id)
    patience.forget(attempt)
    customer.refresh_from_db()
    return customer


@enforces("10.1")
def verify_sign_in(*, email: str, password: str, client: str, known_browser: bool = False) -> Customer:
    """Return the customer whose address and password these are; a second factor and the session are the caller's.

    Unknown addresses cost the same work and get the same answer.

    Args:
        email: as typed.
        password: as typed.
        client: network address of the client; only its blinded form is kept.
        known_browser: this browser signed in before, so failures of others behind the same address do not count.

    Raises:
        SignInRefused: they do not belong together, or the address is not confirmed.
        TooManyAttempts: this client failed too often with this address, or with many.
    """
    try:
        address = normalise(email)
    except InputRefused:
        raise SignInRefused(_SAME_ANSWER) from None
    attempt = patience.key("sign-in", address, patience.network(client))
    anybody = patience.key("sign-in-client", patience.network(client))
    if not known_browser:
        patience.require(anybody, patience.CLIENT)
    patience.spend(attempt, patience.SIGN_IN)
    customer = Customer.objects.filter(email_index=_index(address), is_active=True).first()
    right = _is_password(customer, password)
    if not (right and customer and customer.confirmed_at):
        patience.count(anybody)
        audit.record(
            actor=VISITOR,
            act=Act.SIGN_IN_FAILED,
            subject=customer.id if customer else None,
            outcome=Outcome.REFUSED,
        )
        raise SignInRefused(_SAME_ANSWER)
    patience.forget(attempt)
    return customer


def record_sign_in(*, customer: Customer, how: str) -> None:
    """Journal that a customer is in, with everything shown that was asked for.

    Args:
        customer: who.
        how: ``password``, ``app``, ``recovery-code`` or ``passkey``.
    """
    audit.record(
        actor=Actor(kind="customer", id=customer.id), act=Act.SIGN_IN_SUCCEEDED, subject=customer.id, purpose=how
    )


_decoy_hash: list[str] = []


def _decoy() -> str:
    """Return a hash to check against when there is no account, so that both take as long."""
    if not _decoy_hash:
        _decoy_hash.append(make_password(uuid.uuid4().hex))
    return _decoy_hash[0]


def _is_password(customer: Customer | None, typed: str) -> bool:
    """Say whether a password is right; costs one Argon2id whether or not there is a customer."""
    bounded = typed[: passwords.LONGEST + 1]
    return check_password(bounded, customer.password if customer else _decoy()) and customer is not None


def verify_password(customer: Customer, password: str) -> bool:
    """Say whether a password is the customer's, for sensitive acts.

    Raises:
        TooManyAttempts: it was guessed too often; only whoever holds a session of this customer can cause that.
    """
    attempt = patience.key("prove", str(customer.id))
    patience.spend(attempt, patience.SIGN_IN)
    if not _is_password(customer, password):
        return False
    patience.forget(attempt)
    return True


def ask_reset(*, email: str, client: str = "") -> None:
    """Mail a link to choose a new password, if the address has a confirmed account; answer the same if not.

    Raises:
        TooManyAttempts: this client asked too often.
    """
    with pace.steady():
        try:
            address = normalise(email)
        except InputRefused:
            return
        if _may_mail(address, client, what="reset"):
            _mail_reset(address)


def _mail_reset(address: str) -> None:
    customer = Customer.objects.filter(email_index=_index(address), is_active=True, confirmed_at__isnull=False).first()
    if customer is None:
        mail.send(
            to=address,
            subject=_("There is no account with this address"),
            text=_(
                "Somebody asked for a new password for this address. It has no account here, so nothing was changed."
            ),
            about=None,
        )
        return
    link = _url(f"/account/reset/{links.make(customer, 'reset')}/")
    mail.send(
        to=address,
        subject=_("Choose a new password"),
        text=_(
            "Open this link within one hour to choose a new password:\n\n%(link)s\n\n"
            "If you did not ask for it, do nothing: your password stays as it is."
        )
        % {"link": link},
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


def change_password(*, customer: Customer, current: str, password: str, about: tuple[str, ...] = ()) -> None:
    """Set a new password after the current one was given; every other session ends, since the hash changed.

    Raises:
        InputRefused: the current one is wrong, or the new one is not good enough.
        TooManyAttempts: the current one was guessed too often.
    """
    if not verify_password(customer, current):
        raise InputRefused("This is not your current password.", field="current")
    _set_password(customer, password, about=about)


def _set_password(customer: Customer, password: str, *, about: tuple[str, ...] = ()) -> None:
    passwords.require_strong(password, about=about)
    past = PastPassword.objects.filter(customer=customer).order_by("-replaced_at")[:PASSWORDS_REMEMBERED]
    if any(check_password(password, used) for used in (customer.password, *(one.password for one in past))):
        raise InputRefused("Please choose a password you did not use here before.", field="password")
    hashed = make_password(password)
    with transaction.atomic():
        PastPassword.objects.create(customer=customer, password=customer.password, replaced_at=clock.now())
        kept = PastPassword.objects.filter(customer=customer).order_by("-replaced_at").values_list("id", flat=True)
        PastPassword.objects.filter(customer=customer).exclude(id__in=list(kept[:PASSWORDS_REMEMBERED])).delete()
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


def ask_address_change(*, customer: Customer, email: str) -> None:
    """Mail a confirmation link to a new address; the old one counts until the link is opened.

    An address that has an account gets a mail that says so, and the answer here is the same.

    Raises:
        InputRefused: it is no address.
    """
    address = normalise(email)
    with pace.steady():
        if not _may_mail(address, "", what="new-address"):
            return
        holder = Customer.objects.filter(email_index=_index(address)).first()
        if holder is not None:
            _tell_known_address(address, holder)
            return
        customer.new_email_index = _index(address)
        sealed = vault.seal_field(subject=customer.id, field=NEW_EMAIL_FIELD, text=address)
        Customer.objects.filter(id=customer.id).update(
            new_email_sealed=sealed, new_email_index=customer.new_email_index
        )
        link = _url(f"/account/address/{links.make(customer, 'address')}/")
        mail.send(
            to=address,
            subject=_("Please confirm your new address"),
            text=_("Open this link within one day to use this address for your account:\n\n%(link)s") % {"link": link},
            about=customer.id,
        )


def change_address(*, customer: Customer, token: str, warrant: Warrant) -> None:
    """Replace the address by the one the link was sent to.

    Args:
        customer: who is signed in; the link must be theirs.
        token: from the link.
        warrant: the owner's own.

    Raises:
        LinkExpired: the link does not work any more, or somebody else took the address meanwhile.
    """
    found = links.read(token, "address")
    if found.id != customer.id:
        raise LinkExpired("Please sign in to the account that asked for this change, then open the link again.")
    address = vault.open_field(
        subject=found.id, field=NEW_EMAIL_FIELD, sealed=bytes(found.new_email_sealed), warrant=warrant
    )
    sealed = vault.seal_field(subject=found.id, field=EMAIL_FIELD, text=address)
    try:
        with transaction.atomic():
            Customer.objects.filter(id=found.id).update(
                email_sealed=sealed, email_index=_index(address), new_email_sealed=b"", new_email_index=b""
            )
            audit.record(actor=Actor(kind="customer", id=found.id), act=Act.ADDRESS_CHANGED, subject=found.id)
    except IntegrityError:
        raise LinkExpired("This address cannot be used any more. Please choose another.") from None


def speak(*, subject: UUID, language: str) -> None:
    """Write to a customer in a language from now on."""
    Customer.objects.filter(id=subject).exclude(language=language).update(language=language)


def end_session(*, actor: Actor, subject: UUID, kept: str) -> None:
    """End one of a customer's sessions by what the database calls it; another's is not there."""
    with transaction.atomic():
        removed, _rows = CustomerSession.objects.filter(subject=subject, session_key=kept).delete()
        if removed:
            audit.record(actor=actor, act=Act.SESSION_REVOKED, subject=subject)


def end_other_sessions(*, actor: Actor, subject: UUID, session_key: str) -> None:
    """End every session of a customer but the one whose cookie holds this key."""
    with transaction.atomic():
        others = CustomerSession.objects.filter(subject=subject).exclude(session_key=kept_key(session_key))
        removed, _rows = others.delete()
        if removed:
            audit.record(actor=actor, act=Act.SESSION_REVOKED, subject=subject)


def end_all_sessions(*, actor: Actor, subject: UUID) -> int:
    """End every session of a customer, as one does when somebody else may be in the account.

    Returns:
        How many there were; nothing is journalled for none.
    """
    with transaction.atomic():
        removed, _rows = CustomerSession.objects.filter(subject=subject).delete()
        if removed:
            audit.record(actor=actor, act=Act.SESSION_REVOKED, subject=subject)
    return removed


@enforces("8.1.a-b")
def suspend(*, actor: Actor, subject: UUID) -> bool:
    """Close an account for the time being: nobody signs in, and whoever is signed in is not any more.

    Returns:
        Whether it was open.
    """
    with transaction.atomic():
        changed = Customer.objects.filter(id=subject, is_active=True).update(is_active=False)
        CustomerSession.objects.filter(subject=subject).delete()
        if changed:
            audit.record(actor=actor, act=Act.ACCOUNT_SUSPENDED, subject=subject)
    return bool(changed)


def resume(*, actor: Actor, subject: UUID) -> bool:
    """Open a suspended account again; return whether it was suspended."""
    with transaction.atomic():
        changed = Customer.objects.filter(id=subject, is_active=False).update(is_active=True)
        if changed:
            audit.record(actor=actor, act=Act.ACCOUNT_RESUMED, subject=subject)
    return bool(changed)


def record_sign_out(*, actor: Actor, subject: UUID) -> None:
    """Journal that a session was ended by its owner."""
    audit.record(actor=actor, act=Act.SIGNED_OUT, subject=subject)


def delete_account(*, actor: Actor, subject: UUID) -> None:
    """Remove the account's row and sessions; the vault's shredding is the caller's, and comes first."""
    with transaction.atomic():
        CustomerSession.objects.filter(subject=subject).delete()
        removed, _rows = Customer.objects.filter(id=subject).delete()
        if removed:
            audit.record(actor=actor, act=Act.ACCOUNT_DELETED, subject=subject)


def forget_traces(*, before: dt.datetime) -> int:
    """Remove ended sessions and what was counted of failed sign-ins before a moment; return how many rows went."""
    return sum(
        found.delete()[0]
        for found in (
            SignInAttempt.objects.filter(last_at__lt=before),
            PasskeyChallenge.objects.filter(expires_at__lt=before),
            CustomerSession.objects.filter(expire_date__lt=before),
        )
    )
