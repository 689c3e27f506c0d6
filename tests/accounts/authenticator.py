"""An authenticator made of software: signs as a passkey does (W3C Web Authentication, sections 6 and 7)."""

import hashlib
import json
import os
import struct
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

USER_PRESENT, USER_VERIFIED, CREDENTIAL_DATA = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey. Every way it can lie is a parameter of ``sign``."""

    origin: str = "https://localhost:8443"
    rp_id: str = "localhost"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    user: bytes = b""
    count: int = 0

    def _data(self, flags: int, rp_id: str = "") -> bytes:
        return hashlib.sha256((rp_id or self.rp_id).encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _client(self, kind: str, challenge: str, origin: str = "") -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin or self.origin}).encode()

    def register(self, options: str, *, flags: int = USER_PRESENT | USER_VERIFIED) -> str:
        asked = json.loads(options)
        self.user = base64url_to_bytes(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cose
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(flags | CREDENTIAL_DATA) + attested}
        response = {
            "clientDataJSON": bytes_to_base64url(self._client("webauthn.create", asked["challenge"])),
            "attestationObject": bytes_to_base64url(cbor2.dumps(attestation)),
        }
        return self._answer(response)

    def sign(
        self,
        options: str,
        *,
        flags: int = USER_PRESENT | USER_VERIFIED,
        origin: str = "",
        rp_id: str = "",
        user: bytes | None = None,
        counted: bool = True,
    ) -> str:
        self.count += counted
        data = self._data(flags, rp_id)
        client = self._client("webauthn.get", json.loads(options)["challenge"], origin)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": bytes_to_base64url(client),
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(signature),
            "userHandle": bytes_to_base64url(self.user if user is None else user),
        }
        return self._answer(response)

    def _answer(self, response: dict) -> str:
        name = bytes_to_base64url(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
