"""A made-up person whose word and picture are planted, to see that nobody finds them where they are kept."""

import base64
import datetime as dt
import re
import secrets
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from headshotly.audit.actor import Actor
from headshotly.policy import clock
from headshotly.proof.models import Canary
from headshotly.vault import selectors as vault_contents
from headshotly.vault import services as vault

# A rule of the incidents room knows both ids, for trying forged warrants on them is no attack on anybody.
SUBJECT = uuid5(NAMESPACE_URL, "headshotly:canary")
STRANGER = uuid5(NAMESPACE_URL, "headshotly:canary:stranger")
ACTOR = Actor(kind="service", id=SUBJECT, role="proof-canary")
PURPOSE = "proof-canary"
KIND = "canary"
LEFT_AFTER = dt.timedelta(minutes=30)
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"


@dataclass(frozen=True, slots=True)
class Planted:
    """What was planted.

    Attributes:
        word: an address nobody has.
        object_id: the sealed picture.
        picture: its bytes before sealing.
    """

    word: str
    object_id: UUID
    picture: bytes


def plant() -> Planted:
    """Seal a fresh word in a column and a fresh picture in the object store, as a customer's are.

    What a killed run left goes first; another run that is going on keeps its own.
    """
    word = f"canary.{secrets.token_hex(16)}@example.invalid"
    vault.create_customer_key(actor=ACTOR, subject=SUBJECT)
    for left in vault_contents.object_ids(kinds=(KIND,), sealed_before=clock.now() - LEFT_AFTER):
        vault.destroy(actor=ACTOR, object_id=left)
    sealed = vault.seal_field(subject=SUBJECT, field="proof.word", text=word)
    Canary.objects.update_or_create(id=1, defaults={"subject": SUBJECT, "word": sealed})
    picture = _JPEG + word.encode() * 100
    object_id = vault.seal(actor=ACTOR, subject=SUBJECT, kind="canary", purpose=PURPOSE, plaintext=picture)
    return Planted(word, object_id, picture)


def uproot(planted: Planted) -> None:
    """Destroy the planted picture; the column's word stays sealed until the next one."""
    vault.destroy(actor=ACTOR, object_id=planted.object_id)


def spellings(word: str) -> re.Pattern[bytes]:
    """Return a pattern that finds a word plain, in UTF-16, in hex and in base64 at any alignment."""
    raw = word.encode()
    wanted = [raw, word.encode("utf-16-le"), raw.hex().encode(), raw.hex().upper().encode()]
    for shift in range(3):
        # The first and last characters depend on the neighbours; what lies between does not.
        whole = base64.b64encode(b"\x00" * shift + raw)
        wanted.append(whole[4 : len(whole) - 4])
    return re.compile(b"|".join(map(re.escape, wanted)))
