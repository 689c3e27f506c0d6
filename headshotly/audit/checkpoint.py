"""Signed heads of the journal: C2SP tlog-checkpoint in a signed note (Ed25519).

https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note
"""

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from headshotly.audit.errors import CheckpointForged

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_ROOT_BYTES = 32
_KEY_BYTES = 32
_BODY_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head of the journal.

    Attributes:
        origin: name of the log, without spaces or plus signs.
        size: entries covered.
        root: 32-byte Merkle root over them.
    """

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def raw_public_key(key: Ed25519PrivateKey) -> bytes:
    """Return the 32 bytes of the public half."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _key_id(name: str, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_ID_BYTES]


def verifier_key(name: str, public_key: bytes) -> str:
    """Return the note verifier key an auditor pins: ``name+id+base64``."""
    key_id = _key_id(name, public_key).hex()
    return f"{name}+{key_id}+{base64.b64encode(_ED25519 + public_key).decode()}"


def parse_verifier_key(text: str) -> tuple[str, bytes]:
    """Return the name and the 32-byte public key of a verifier key.

    Raises:
        CheckpointForged: it is not one, or its id does not match.
    """
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        material = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise CheckpointForged("That is not a verifier key of a journal.") from error
    if len(material) != 1 + _KEY_BYTES or material[:1] != _ED25519 or _key_id(name, material[1:]).hex() != key_id:
        raise CheckpointForged("The verifier key does not match its own id.")
    return name, material[1:]


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """Return the checkpoint as a signed note."""
    signature = _key_id(checkpoint.origin, raw_public_key(key)) + key.sign(checkpoint.body.encode())
    return f"{checkpoint.body}\n— {checkpoint.origin} {base64.b64encode(signature).decode()}\n"


def read(note: str, public_key: bytes, *, origin: str) -> Checkpoint:
    """Return the checkpoint of a signed note whose signature holds.

    Args:
        note: the whole note.
        public_key: 32 bytes of the journal's Ed25519 key.
        origin: name of the journal it must be about.

    Raises:
        CheckpointForged: the note is malformed, about another journal, or no signature by this key holds.
    """
    body, separator, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if not separator or len(lines) != _BODY_LINES:
        raise CheckpointForged("The checkpoint is not a signed note.")
    named, size, encoded_root = lines
    try:
        checkpoint = Checkpoint(named, int(size), base64.b64decode(encoded_root, validate=True))
    except ValueError as error:
        raise CheckpointForged("The checkpoint's size or root cannot be read.") from error
    # The text must be the one spelling of its meaning, or two notes could say the same thing.
    if checkpoint.body != body + "\n" or len(checkpoint.root) != _ROOT_BYTES or checkpoint.size < 0:
        raise CheckpointForged("The checkpoint's size or root cannot be read.")
    if checkpoint.origin != origin:
        raise CheckpointForged("The checkpoint is about another journal.")
    _require_signature(checkpoint, signatures, public_key)
    return checkpoint


def _require_signature(checkpoint: Checkpoint, signatures: str, public_key: bytes) -> None:
    wanted = _key_id(checkpoint.origin, public_key)
    for line in signatures.splitlines():
        mark, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if mark != "—" or name != checkpoint.origin:
            continue
        try:
            blob = base64.b64decode(encoded, validate=True)
            if blob[:_KEY_ID_BYTES] == wanted:
                Ed25519PublicKey.from_public_bytes(public_key).verify(blob[_KEY_ID_BYTES:], checkpoint.body.encode())
                return
        except (ValueError, InvalidSignature):
            continue
    raise CheckpointForged("No signature on the checkpoint is by the journal's key.")
