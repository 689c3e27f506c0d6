"""Keeping a valid, signed security.txt at hand (RFC 9116, clause 10.3)."""

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.proof import openpgp, security_txt
from headshotly.proof.models import SecurityText
from headshotly.proof.security_txt import Contacts

ADDRESS = "/.well-known/security.txt"


def contacts() -> Contacts:
    """Return where this installation wants to be reached."""
    here = configuration.current()
    return Contacts(public_url=here.public_url, email=here.operator.security_email)


def current() -> SecurityText | None:
    """Return the newest signed text, or None where none was signed yet."""
    return SecurityText.objects.order_by("-signed_at", "-id").first()


def _due(newest: SecurityText | None, fingerprint: str) -> bool:
    if newest is None or newest.fingerprint != fingerprint:
        return True
    if newest.expires_at - clock.now() < security_txt.RENEW_BEFORE:
        return True
    said = openpgp.signed_text(newest.signed, newest.certificate)
    return said != security_txt.write(contacts(), expires_at=newest.expires_at)


@enforces("10.3")
def sign_when_due() -> SecurityText | None:
    """Sign a new text where there is none, it says something else than it should, or its time is a third over.

    A crash leaves the older text, which is valid for sixty days more.

    Returns:
        The new text, or None where the newest one is good.

    Raises:
        KeyDamaged: the key cannot be read; the text that is there stays.
    """
    fingerprint = openpgp.fingerprint()
    if not _due(current(), fingerprint):
        return None
    moment = clock.now().replace(microsecond=0)
    expires_at = moment + security_txt.LIFE
    signed = openpgp.clear_sign(security_txt.write(contacts(), expires_at=expires_at))
    with transaction.atomic():
        made = SecurityText.objects.create(
            signed=signed,
            certificate=openpgp.certificate(),
            fingerprint=fingerprint,
            signed_at=moment,
            expires_at=expires_at,
        )
        audit.record(actor=SYSTEM, act=Act.SECURITY_TEXT_SIGNED, purpose=f"until {expires_at:%Y-%m-%d}, {fingerprint}")
    return made


def faults() -> list[str]:
    """Return, in sentences, what is wrong with the text that is served; nothing where it is as promised."""
    newest = current()
    if newest is None:
        return ["No security.txt was signed yet."]
    said = openpgp.signed_text(newest.signed, newest.certificate)
    if said is None:
        return ["The signature on security.txt does not hold."]
    return security_txt.problems(said, canonical=contacts().public_url + ADDRESS, at=clock.now())
