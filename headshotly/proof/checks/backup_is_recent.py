"""The newest backup is younger than the objective, whole, and ciphertext (clause 6.1.a)."""

import datetime as dt

from headshotly.continuity import catalogue, places
from headshotly.continuity.catalogue import Found
from headshotly.continuity.errors import BackupDamaged, PlacesRefused
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

OBJECTIVE = dt.timedelta(hours=24)  # how much may be lost at most; a backup is made every six hours


def _wrong(newest: Found, scene: Scene) -> list[str]:
    bad = []
    age = scene.now - newest.manifest.moment
    if age > OBJECTIVE:
        bad.append(f"it is {int(age.total_seconds() // 3600)} hours old")
    if newest.manifest.missing:
        bad.append(f"it lacks {newest.manifest.missing} objects")
    try:
        newest.contents()  # unsealing shows that it is ciphertext under our key, and not changed
    except BackupDamaged as damage:
        bad.append(damage.sentence.rstrip("."))
    return bad


@check(
    id="backup_is_recent",
    clauses=("6.1.a",),
    title="A fresh, sealed backup is there",
    words="We ask the backup stores themselves for the newest backup, check its signature, decrypt its list of "
    "contents, and look how old it is; more than a day is too old.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Read the newest manifest and the list of contents it names."""
    try:
        kept = catalogue.look(places.stores(), places.key_service())
    except PlacesRefused as refused:
        return broken(refused.sentence, ids=["backup.stores"])
    newest = kept.newest()
    if newest is None:
        if scene.service.emulated:
            return unknown("There is no backup yet, and the service that makes them is not running.")
        return broken("There is no backup in any store.", ids=["backup"])
    bad = [*_wrong(newest, scene), *kept.damaged]
    if bad:
        name = f"backup {newest.manifest.backup}"
        return broken(f"The newest backup is not as it must be: {shorten(bad)}.", ids=[name, *kept.damaged])
    return held(
        f"The newest of {len(kept.backups)} backups, of {newest.manifest.moment:%Y-%m-%d %H:%M} UTC, is signed, sealed "
        f"and holds {newest.manifest.objects} objects.",
        population=len(kept.backups),
    )
