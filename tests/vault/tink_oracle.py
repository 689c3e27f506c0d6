"""Google's Tink, as the judge of the body's format."""

import io

import tink
from tink import secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2 as streaming_pb2
from tink.proto import common_pb2, tink_pb2

SEGMENT = 1 << 20
streaming_aead.register()


class _Sink(io.BytesIO):
    def close(self):
        """Stay readable after Tink closes it."""


def primitive(key: bytes) -> streaming_aead.StreamingAead:
    """Tink's AES256_GCM_HKDF_1MB with a raw key of 32 bytes."""
    parameters = streaming_pb2.AesGcmHkdfStreamingParams(
        ciphertext_segment_size=SEGMENT, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256
    )
    raw = streaming_pb2.AesGcmHkdfStreamingKey(version=0, params=parameters, key_value=key)
    keyset = tink_pb2.Keyset(primary_key_id=1)
    keyset.key.add(
        key_data=tink_pb2.KeyData(
            type_url="type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
            value=raw.SerializeToString(),
            key_material_type=tink_pb2.KeyData.SYMMETRIC,
        ),
        status=tink_pb2.ENABLED,
        key_id=1,
        output_prefix_type=tink_pb2.RAW,
    )
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


def seal(plaintext: bytes, key: bytes, associated: bytes) -> bytes:
    sink = _Sink()
    with primitive(key).new_encrypting_stream(sink, associated) as stream:
        stream.write(plaintext)
    return sink.getvalue()


def unseal(sealed: bytes, key: bytes, associated: bytes) -> bytes:
    with primitive(key).new_decrypting_stream(io.BytesIO(sealed), associated) as stream:
        return stream.read()
