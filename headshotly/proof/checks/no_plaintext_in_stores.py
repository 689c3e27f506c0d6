"""No readable picture or personal value in any byte of the stores (clause 3.2.a)."""

import re

from headshotly.proof import canary, stores
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_PICTURE = re.compile(
    rb"\xff\xd8\xff[\xe0\xe1]..(?:JFIF\x00|Exif\x00\x00)|\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    rb"|ftyp(?:heic|heix|mif1|avif)|RIFF....WEBPVP8",
    re.DOTALL,
)
# Columns lie side by side in a file, so an address may be followed by anything. As little as this is rare enough in
# ciphertext: about once in a hundred gigabytes.
_ADDRESS = re.compile(rb"[A-Za-z0-9._%+-]{4,64}(@[A-Za-z0-9-]{4,63}(?:\.[A-Za-z0-9-]{2,63})*\.[A-Za-z]{2,12})")
_DATABASE = ".sqlite3"  # the file itself and those beside it, whatever their ending


def _strangers(domains: list[bytes], own: tuple[bytes, ...]) -> bool:
    """Say whether a domain is there that is not ours."""
    return any(not domain.lower().startswith(own) for domain in domains)


@check(
    id="no_plaintext_in_stores",
    clauses=("3.2.a",),
    title="Nothing readable where data is kept",
    words="We plant a made-up picture and a made-up address through the same code that keeps yours, and then read "
    "every byte of every store, looking for them, for any other readable picture, and for any e-mail address in the "
    "database. What we find must be nothing.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Plant, scan, uproot."""
    operator = scene.here.operator
    ours = (operator.security_email, operator.privacy_email)
    own = tuple(b"@" + one.rpartition("@")[2].lower().encode() for one in ours)
    planted = canary.plant()
    try:
        wanted = canary.spellings(planted.word)
        bad, total, size = [], 0, 0
        for name, view in stores.pieces(scene.here):
            total, size = total + 1, size + memoryview(view).nbytes
            if wanted.search(view):
                bad.append(f"{name} holds the planted canary")
            if _PICTURE.search(view):
                bad.append(f"{name} holds a readable picture")
            rows = _DATABASE in name.rpartition("/")[2] or name.startswith("table ")
            if rows and _strangers(_ADDRESS.findall(view), own):
                bad.append(f"{name} holds a readable e-mail address")
    finally:
        canary.uproot(planted)
    if bad:
        return broken(f"Readable where it must not be: {shorten(bad)}.", ids=bad, population=total)
    return held(
        f"{size / 1e6:.1f} MB in {total} stores hold neither the planted canaries nor any readable picture or address.",
        population=total,
    )
