"""Trying to connect at one version of TLS, old ones included, and telling a refusal from a client that cannot ask."""

import contextlib
import socket
import ssl
import warnings
from dataclasses import dataclass

_SECONDS = 5.0
VERSIONS = {
    "TLS 1.0": ssl.TLSVersion.TLSv1,
    "TLS 1.1": ssl.TLSVersion.TLSv1_1,
    "TLS 1.2": ssl.TLSVersion.TLSv1_2,
    "TLS 1.3": ssl.TLSVersion.TLSv1_3,
}
_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Handshake:
    """How one attempt ended.

    Attributes:
        accepted: the connection stood.
        why: the library's reason where it did not.
    """

    accepted: bool
    why: str = ""


def _unsafe_client(version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a client that speaks exactly one version, however old, and believes everything: for probing only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # nosemgrep: certificate-not-looked-at - it asks what a server speaks, and says nothing to it
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _speak_only(context, version, "ALL:@SECLEVEL=0")
    return context


def _speak_only(context: ssl.SSLContext, version: ssl.TLSVersion, ciphers: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old versions are deprecated, which is the point
        context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)


def attempt(host: str, port: int, version: ssl.TLSVersion) -> Handshake:
    """Try one handshake.

    Raises:
        OSError: nobody listens, or the connection was lost before anything was said about TLS.
    """
    context = _unsafe_client(version)
    with socket.create_connection((host, port), timeout=_SECONDS) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host):
                return Handshake(accepted=True)
        except ssl.SSLError as error:
            return Handshake(accepted=False, why=error.reason or "refused")
        except ConnectionResetError:
            return Handshake(accepted=False, why="connection closed")


def client_speaks(version: ssl.TLSVersion) -> bool:
    """Say whether this machine's library can speak a version at all: a refusal by one that cannot proves nothing.

    Two ends in memory shake hands without a certificate (anonymous Diffie-Hellman).
    """
    if version >= ssl.TLSVersion.TLSv1_3:
        return ssl.HAS_TLSv1_3
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _speak_only(server, version, "aNULL:@SECLEVEL=0")
    there, here = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        _unsafe_client(version).wrap_bio(there, here),
        server.wrap_bio(here, there, server_side=True),
    ]
    try:
        for _ in range(_ROUNDS):
            for end in ends:
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.do_handshake()
    except ssl.SSLError:
        return False
    return ends[0].version() is not None
