"""A second factor can be had, and its codes count once, for a moment only (clause 10.2)."""

import base64
import hmac
import struct

from headshotly.accounts import totp
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said

_SECRET_BYTES = b"12345678901234567890"  # RFC 4226, appendix D
_PERIOD, _DIGITS = 30, 10**6
_PAGES = (
    "/account/protection/",
    "/account/protection/app/",
    "/account/protection/app/code.svg",
    "/account/sign-in/passkey/options/",
    "/account/protection/codes/",
)
_THERE = {200, 302, 403, 405}


def _code_at(step: int) -> str:
    """Return the code of a time step, computed here from the RFC's own words (RFC 4226, section 5.3)."""
    digest = hmac.new(_SECRET_BYTES, struct.pack(">Q", step), "sha1").digest()
    offset = digest[-1] & 0x0F
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % _DIGITS:06d}"


def _wrong_codes(scene: Scene) -> list[str]:
    """Return which codes are accepted or refused as they must not be: now's counts, an hour old one does not."""
    secret, now = base64.b32encode(_SECRET_BYTES).decode(), int(scene.now.timestamp()) // _PERIOD
    bad = [] if totp.matching_step(secret, _code_at(now)) in {now - 1, now, now + 1} else ["the code of this moment"]
    old = {_code_at(now - 120), _code_at(now + 120)} - {_code_at(now + near) for near in (-1, 0, 1, 2)}
    return bad + ["a code of another hour" for code in old if totp.matching_step(secret, code) is not None]


@check(
    id="second_factor_works",
    clauses=("10.2",),
    title="A second factor can be had",
    words="We look whether the pages for an authenticator app, passkeys and recovery codes are there on the running "
    "service, compute the code an app would show at this moment, which must count, and one of another hour, which "
    "must not.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Visit the pages and try codes."""
    service = scene.service
    bad = [path for path in _PAGES if service.fetch(path).status not in _THERE]
    bad += _wrong_codes(scene)
    population = len(_PAGES) + 2
    if bad:
        sentence = f"Not as it must be: {shorten(bad)}."
        return broken(said(sentence, service), ids=bad, population=population, emulated=service.emulated)
    sentence = "Authenticator app, passkeys and recovery codes are offered, and codes count for their moment only."
    return held(said(sentence, service), population=population, emulated=service.emulated)
