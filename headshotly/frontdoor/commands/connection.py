"""The service from afar: the generated client with a token kept safely, TLS verified, and patience.

Nothing here needs Django. What the service refuses becomes a ``Refusal`` with its own sentence.
"""

import os
import ssl
import stat
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from headshotly_client import AuthenticatedClient
from headshotly_client.errors import UnexpectedStatus
from headshotly_client.models import Problem

from headshotly.policy.refusal import Refusal

TOKEN, TOKEN_FILE = "HEADSHOTLY_TOKEN", "HEADSHOTLY_TOKEN_FILE"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_TRIES, _LONGEST_WAIT = 5, 90
_SECONDS = 120.0  # an upload may take long on a slow line
_AGAIN = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY})


class NotReached(Refusal):
    """The service does not answer, or is not the one it should be."""

    code = "remote.not_reached"
    status = 503


class TokenUnsafe(Refusal):
    """There is no token, or others can read it."""

    code = "remote.token"
    status = 401


def token(file: Path | None) -> str:
    """Return the token from a file that only its owner can read, or from the environment; never from the command line.

    Args:
        file: where it lies; the variable ``HEADSHOTLY_TOKEN_FILE`` names another, ``HEADSHOTLY_TOKEN`` holds it itself.

    Raises:
        TokenUnsafe: there is none, or others can read the file.
    """
    given = os.environ.get(TOKEN, "")  # noqa: TID251 - a client's own variable, no setting of the service
    named = file or (Path(os.environ[TOKEN_FILE]) if os.environ.get(TOKEN_FILE) else None)  # noqa: TID251 - as above
    if named is None:
        if not given:
            raise TokenUnsafe(f"Put a token into {TOKEN}, or name its file in {TOKEN_FILE} or with --token-file.")
        return given.strip()
    try:
        if named.stat().st_mode & _OTHERS:
            raise TokenUnsafe(f"Others can read {named}; say: chmod 600 {named}")
        return named.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TokenUnsafe(f"The token in {named} cannot be read.") from error


def trusting(authority: Path | None) -> ssl.SSLContext:
    """Return a context that verifies the service and speaks TLS 1.2 or higher.

    Args:
        authority: PEM file of a certificate to trust instead of the system's, such as the embedded server's own.

    Raises:
        NotReached: the file is no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=str(authority) if authority else None)
    except (OSError, ssl.SSLError) as error:
        raise NotReached(f"{authority} is no certificate that can be trusted.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def connect(url: str, *, token_file: Path | None = None, authority: Path | None = None) -> AuthenticatedClient:
    """Return the generated client for a service.

    Args:
        url: address of the service, such as ``https://headshotly.example``.
        token_file: as ``token``.
        authority: as ``trusting``.

    Raises:
        NotReached: the address is not https.
        TokenUnsafe: as ``token``.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise NotReached("The address must begin with https:// and name a host.")
    return AuthenticatedClient(
        base_url=f"{url.rstrip('/')}/api/v1",
        token=token(token_file),
        verify_ssl=trusting(authority),
        timeout=httpx.Timeout(_SECONDS, connect=10.0),
        raise_on_unexpected_status=True,
    )


def _wait(number: int, headers: Any) -> None:
    said = headers.get("Retry-After", "") if headers is not None else ""
    time.sleep(min(_LONGEST_WAIT, int(said)) if said.isdecimal() else min(_LONGEST_WAIT, 2**number))


def _unreached(error: httpx.TransportError) -> str:
    """Return, in plain words, why nothing was answered; what the system called it is in the error's cause."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "The service shows a certificate that is not to be trusted. If it is its own, name it with --ca."
    match error:
        case httpx.ConnectTimeout() | httpx.ReadTimeout() | httpx.WriteTimeout() | httpx.PoolTimeout():
            return "The service took too long to answer. Please try again later."
        case httpx.ConnectError():
            return "The service cannot be reached. Please look at the address, and whether you are connected."
        case _:
            return "The connection broke off. Please try again."


def ask(call: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """Do one call, again where the line or the service failed for the moment, and return what was answered.

    A call that changes something carries an idempotency key or may be repeated by nature, so that again is not twice.

    Args:
        call: a ``sync_detailed`` of the generated client.
        args: what it takes.
        named: what it takes by name.

    Raises:
        NotReached: it does not answer after several tries, or its certificate is not to be trusted.
        Refusal: the service said no, in its own words.
    """
    for number in range(_TRIES):
        last = number == _TRIES - 1
        try:
            answer = call(*args, **named)
        except httpx.TransportError as error:
            if last or "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise NotReached(_unreached(error)) from error
            _wait(number, None)
            continue
        except UnexpectedStatus as error:
            if last or error.status_code not in _AGAIN:
                raise NotReached(f"The service answered {error.status_code}.") from error
            _wait(number, None)
            continue
        if answer.status_code in _AGAIN and not last:
            _wait(number, answer.headers)
            continue
        if isinstance(answer.parsed, Problem):
            raise Refusal(answer.parsed.detail, code=answer.parsed.code)
        return answer.parsed
    raise NotReached("The service does not answer.")


def stream_to(client: AuthenticatedClient, path: str, file: Path) -> None:
    """Write a large answer to a file, readable by its owner only; whole or not at all.

    Raises:
        NotReached: it broke off.
        Refusal: the file could not be written, or the service said no.
    """
    scratch = file.with_name(f".{file.name}.part")
    try:
        with client.get_httpx_client().stream("GET", path) as answer:
            if answer.status_code != HTTPStatus.OK:
                answer.read()
                raise Refusal(str(answer.json().get("detail", "It could not be downloaded.")), code="remote.download")
            with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                for piece in answer.iter_bytes():
                    out.write(piece)
        scratch.replace(file)
    except httpx.TransportError as error:
        raise NotReached(f"The download did not end. {_unreached(error)}") from error
    except OSError as error:
        raise Refusal(f"{file} could not be written: {error.strerror}.", code="file.write") from error
    finally:
        scratch.unlink(missing_ok=True)
