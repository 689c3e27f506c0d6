"""Passkeys (W3C Web Authentication, level 3): what the browser is asked, and whether its answer holds.

Used at the customers' door and at the staff's. A challenge is answered once, also when two requests race: its row
is deleted before the answer is looked at.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers import base64url_to_bytes, generate_challenge, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from headshotly.accounts.errors import PasskeyRefused
from headshotly.accounts.models import PasskeyChallenge
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces

VALID = dt.timedelta(minutes=5)
ANSWER_MAX = 20_000  # bytes of JSON
_RP_NAME = "HeadShotly"


@dataclass(frozen=True, slots=True)
class Credential:
    """The public half of a passkey.

    Attributes:
        id: what the authenticator calls it.
        public_key: COSE key.
        sign_count: how often it signed; always 0 where a passkey is synchronised between devices.
    """

    id: bytes
    public_key: bytes
    sign_count: int


def _refused() -> PasskeyRefused:
    return PasskeyRefused("The passkey was not accepted. Please try again.")


def _site() -> tuple[str, str]:
    """Return the relying party's id and its one origin."""
    url = configuration.current().public_url
    return urlsplit(url).hostname or "localhost", url


def _new_challenge(ceremony: str, about: UUID | None) -> bytes:
    moment, challenge = clock.now(), generate_challenge()
    PasskeyChallenge.objects.filter(expires_at__lte=moment).delete()
    PasskeyChallenge.objects.create(
        challenge_sha256=hashlib.sha256(challenge).digest(), ceremony=ceremony, about=about, expires_at=moment + VALID
    )
    return challenge


def _parsed(answer: str) -> dict[str, Any]:
    """Return the browser's answer.

    Raises:
        PasskeyRefused: it is no JSON object or too long.
    """
    try:
        document = json.loads(answer) if len(answer) <= ANSWER_MAX else None
    except ValueError:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("response"), dict):
        raise _refused()
    return document


def _spend_challenge(document: dict[str, Any], ceremony: str, about: UUID | None) -> bytes:
    """Return the challenge an answer names, after making sure that nobody can answer it again."""
    try:
        client_data = json.loads(base64url_to_bytes(document["response"]["clientDataJSON"]))
        challenge = base64url_to_bytes(client_data["challenge"])
    except (ValueError, KeyError, TypeError):
        raise _refused() from None
    spent, _ = PasskeyChallenge.objects.filter(
        challenge_sha256=hashlib.sha256(challenge).digest(),
        ceremony=ceremony,
        about=about,
        expires_at__gt=clock.now(),
    ).delete()
    if spent != 1:
        raise _refused()
    return challenge


def registration_options(*, ceremony: str, about: UUID, label: str, known: Iterable[bytes]) -> str:
    """Return what the browser is asked to make a new passkey, as JSON.

    Args:
        ceremony: which door, such as ``customer-register``; the answer must name the same.
        about: pseudonym of the owner; becomes the user handle, which must not be personal (WebAuthn 14.6.1).
        label: what the authenticator shows; kept by nobody here.
        known: ids of passkeys the owner has already.
    """
    rp_id, _ = _site()
    options = webauthn.generate_registration_options(
        rp_id=rp_id,
        rp_name=_RP_NAME,
        user_name=label,
        user_id=about.bytes,
        challenge=_new_challenge(ceremony, about),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return options_to_json(options)


@enforces("10.2", "2.4.b")
def verify_registration(*, ceremony: str, about: UUID, answer: str) -> Credential:
    """Return the new passkey an answer proves to exist.

    Raises:
        PasskeyRefused: anything about the answer is not as it must be.
    """
    document = _parsed(answer)
    challenge = _spend_challenge(document, ceremony, about)
    rp_id, origin = _site()
    try:
        made = webauthn.verify_registration_response(
            credential=document,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise _refused() from None
    return Credential(id=made.credential_id, public_key=made.credential_public_key, sign_count=made.sign_count)


def authentication_options(*, ceremony: str, about: UUID | None, allowed: Iterable[bytes] = ()) -> str:
    """Return what the browser is asked to sign in, as JSON. Without ``allowed`` every passkey of this site will do."""
    rp_id, _ = _site()
    options = webauthn.generate_authentication_options(
        rp_id=rp_id,
        challenge=_new_challenge(ceremony, about),
        allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in allowed],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def credential_id(answer: str) -> bytes:
    """Return the id of the passkey that an answer claims to come from; nothing is verified yet.

    Raises:
        PasskeyRefused: it names none.
    """
    try:
        return base64url_to_bytes(_parsed(answer)["id"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise _refused() from None


@enforces("10.2", "2.4.b")
def verify_authentication(
    *, ceremony: str, about: UUID | None, owner: UUID, answer: str, credential: Credential | None
) -> int:
    """Return the new sign count of a passkey that answered as it must.

    Args:
        ceremony: which door.
        about: whom the challenge was made for, None where it was made for anybody.
        owner: whose passkey it is on our side; a user handle in the answer must say the same.
        answer: the browser's JSON.
        credential: our record of the passkey, None where we have none: the challenge is spent all the same.

    Raises:
        PasskeyRefused: anything about the answer is not as it must be.
    """
    document = _parsed(answer)
    challenge = _spend_challenge(document, ceremony, about)
    if credential is None:
        raise _refused()
    rp_id, origin = _site()
    try:
        handle = document["response"].get("userHandle")
        if handle and base64url_to_bytes(handle) != owner.bytes:
            raise _refused()
        verified = webauthn.verify_authentication_response(
            credential=document,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            credential_public_key=credential.public_key,
            credential_current_sign_count=credential.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise _refused() from None
    return verified.new_sign_count
