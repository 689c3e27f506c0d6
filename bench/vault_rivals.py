"""What the vault's format is measured against: each way to seal a plaintext in memory and to open it again."""

import base64
import importlib
import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headshotly.vault import envelope, streaming

TAG = 16
FRAMES = (16 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20)
SAMPLE = 12_000_000


class NotInstalled(Exception):
    """A rival's library is not there."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to seal and open.

    Attributes:
        name: what the table calls it.
        seal: takes a plaintext, returns what was sealed.
        open: takes what was sealed, returns the plaintext.
    """

    name: str
    seal: Callable[[bytes], bytes | memoryview]
    open: Callable[[bytes | memoryview], bytes | memoryview]


class _Memory:
    """Output buffers that were touched before, so that nobody pays for the system's pages inside a measurement."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, int], memoryview] = {}

    def of(self, use: str, length: int) -> memoryview:
        if (use, length) not in self._held:
            self._held.clear()
            self._held[use, length] = memoryview(bytearray(os.urandom(1) * length))
        return self._held[use, length]


def raw() -> Way:
    """AESGCM over the whole plaintext into a buffer that is there: the speed of light."""
    cipher, nonce, memory = AESGCM(os.urandom(32)), os.urandom(12), _Memory()

    def seal(plaintext: bytes) -> memoryview:
        out = memory.of("sealed", len(plaintext) + TAG)
        cipher.encrypt_into(nonce, plaintext, None, out)
        return out

    def unseal(sealed: bytes | memoryview) -> memoryview:
        out = memory.of("opened", len(sealed) - TAG)
        cipher.decrypt_into(nonce, sealed, None, out)
        return out

    return Way("raw AESGCM.encrypt_into, one call", seal, unseal)


def raw_returning() -> Way:
    """AESGCM over the whole plaintext, returning fresh bytes."""
    cipher, nonce = AESGCM(os.urandom(32)), os.urandom(12)
    return Way(
        "raw AESGCM.encrypt, fresh bytes",
        lambda plaintext: cipher.encrypt(nonce, plaintext, None),
        lambda sealed: cipher.decrypt(nonce, sealed, None),
    )


def copying() -> Way:
    """No encryption at all: the plaintext copied into a buffer that is there."""
    memory = _Memory()

    def copy(content: bytes | memoryview) -> memoryview:
        out = memory.of("copy", len(content))
        out[:] = content
        return out

    return Way("plain copy", copy, copy)


def _about() -> dict[str, object]:
    import uuid

    return {"owner": uuid.uuid4(), "object_id": uuid.uuid4(), "purpose": "bench", "customer_key": os.urandom(32)}


def ours() -> Way:
    """The whole format: fresh data key, wrapping, commitment, header, body; into a buffer that is there."""
    about, memory = _about(), _Memory()

    def seal(plaintext: bytes) -> memoryview:
        data_key, header = envelope.make(**about)
        out = memory.of("sealed", len(header) + streaming.sealed_length(len(plaintext)))
        out[: len(header)] = header
        streaming.seal_into(plaintext, data_key, header, out[len(header) :])
        return out

    def unseal(sealed: bytes | memoryview) -> memoryview:
        opener = _opener(sealed, about)
        out = memory.of("opened", opener.plain_length)
        opener.read_into(out)
        return out

    return Way("HeadShotly object", seal, unseal)


def _opener(sealed: bytes | memoryview, about: dict[str, object]) -> streaming.Opener:
    header = envelope.read(bytes(sealed[: envelope.LONGEST]))
    data_key = envelope.unwrap(header, **about)
    file = streaming.MemoryFile(sealed)
    return streaming.Opener(file, start=len(header.raw), data_key=data_key, associated=header.raw)


def ours_returning() -> Way:
    """The whole format, returning fresh bytes, as ``vault.open`` does."""
    about = _about()

    def seal(plaintext: bytes) -> bytearray:
        data_key, header = envelope.make(**about)
        out = bytearray(len(header) + streaming.sealed_length(len(plaintext)))
        out[: len(header)] = header
        streaming.seal_into(plaintext, data_key, header, memoryview(out)[len(header) :])
        return out

    return Way("HeadShotly object, fresh bytes", seal, lambda sealed: _opener(sealed, about).read_all())


def tink() -> Way:
    """Google's Tink, the same body, through its streaming interface."""
    try:
        from tests.vault import tink_oracle
    except ImportError as error:
        raise NotInstalled("tink") from error
    stream = tink_oracle.primitive(os.urandom(32))

    def seal(plaintext: bytes) -> bytes:
        sink = tink_oracle._Sink()
        with stream.new_encrypting_stream(sink, b"bench") as out:
            out.write(plaintext)
        return sink.getvalue()

    def unseal(sealed: bytes | memoryview) -> bytes:
        with stream.new_decrypting_stream(io.BytesIO(sealed), b"bench") as source:
            return source.read()

    return Way("Tink AES256_GCM_HKDF_1MB", seal, unseal)


def fernet() -> Way:
    """Fernet: AES-128-CBC and HMAC, base64."""
    box = Fernet(base64.urlsafe_b64encode(os.urandom(32)))
    return Way("Fernet", box.encrypt, lambda sealed: box.decrypt(bytes(sealed)))


def age() -> Way:
    """The age format (ChaCha20-Poly1305), through its Rust library."""
    pyrage = _installed("pyrage")
    identity = pyrage.x25519.Identity.generate()
    recipient = identity.to_public()
    return Way(
        "age (pyrage)",
        lambda plaintext: pyrage.encrypt(plaintext, [recipient]),
        lambda sealed: pyrage.decrypt(bytes(sealed), [identity]),
    )


def _installed(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise NotInstalled(module) from error


def aws() -> Way:
    """The AWS Encryption SDK with a raw key, without signatures, at the frame size that is fastest here."""
    sdk = _installed("aws_encryption_sdk")
    identifiers = _installed("aws_encryption_sdk.identifiers")
    raw_keys = _installed("aws_encryption_sdk.key_providers.raw")
    wrapping = _installed("aws_encryption_sdk.internal.crypto.wrapping_keys")

    class OneKey(raw_keys.RawMasterKeyProvider):
        provider_id = "bench"

        def _get_raw_key(self, key_id: bytes) -> Any:  # noqa: ARG002 - the library's signature
            return wrapping.WrappingKey(
                wrapping_algorithm=identifiers.WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
                wrapping_key=bytes(range(32)),
                wrapping_key_type=identifiers.EncryptionKeyType.SYMMETRIC,
            )

    client, provider = sdk.EncryptionSDKClient(), OneKey()
    provider.add_master_key("key")
    suite = identifiers.AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY

    def seal(plaintext: bytes, frame: int) -> bytes:
        return client.encrypt(source=plaintext, key_provider=provider, algorithm=suite, frame_length=frame)[0]

    def unseal(sealed: bytes | memoryview) -> bytes:
        return client.decrypt(source=bytes(sealed), key_provider=provider)[0]

    best = min(FRAMES, key=lambda frame: _both(lambda: unseal(seal(bytes(SAMPLE), frame))))
    return Way(f"AWS Encryption SDK, {best >> 10} KiB frames", lambda plaintext: seal(plaintext, best), unseal)


def _both(act: Callable[[], object]) -> float:
    fastest = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        act()
        fastest = min(fastest, time.perf_counter() - begin)
    return fastest


WAYS = (raw, copying, ours, raw_returning, ours_returning, tink, aws, age, fernet)
