"""Every stored object is sealed with AES-256 under a key of its own, bound to its owner (clause 3.2.a)."""

from headshotly.proof import canary
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vault import selectors as vault
from headshotly.vault.errors import ObjectMissing

_MOST = 2000


def _sealed(subject: object, object_id: object) -> bool:
    try:
        header = vault.sealed_header(subject, object_id)  # type: ignore[arg-type]  # ids of a row
    except ObjectMissing:
        return True  # removed meanwhile; that nothing is missing is another check's subject
    return vault.is_sealed(header, subject=subject, object_id=object_id)  # type: ignore[arg-type]  # ids of a row


@check(
    id="objects_are_sealed",
    clauses=("3.2.a",),
    title="Every stored picture is sealed",
    words="We read the first bytes of the newest stored objects: each must be our published AES-256-GCM format, with a "
    "256-bit key of its own wrapped under its owner's key, and name the owner and object it belongs to.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Read the header of each, one planted object among them."""
    planted = canary.plant()
    try:
        newest = vault.newest_objects(_MOST)
        bad = [str(object_id) for subject, object_id in newest if not _sealed(subject, object_id)]
    finally:
        canary.uproot(planted)
    if bad:
        return broken(f"Not sealed as it must be: {shorten(bad)}.", ids=bad, population=len(newest))
    return held(f"All {len(newest)} objects looked at are sealed with AES-256-GCM.", population=len(newest))
