"""The last backup is in at least two stores in different regions of the Union (clause 6.1.b)."""

from headshotly.continuity import catalogue, places
from headshotly.continuity.errors import PlacesRefused
from headshotly.continuity.reading import is_whole
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors.regions import EU_REGIONS


@check(
    id="backups_lie_apart",
    clauses=("6.1.b",),
    title="Backups lie in two places of the Union",
    words="We look where the backup stores are: in at least two different regions of the European Union. We read the "
    "newest backup's list of contents back from each of them, byte by byte, and look for every part it names.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Look at the stores, and read from each."""
    try:
        stores = places.stores()
    except PlacesRefused as refused:
        return broken(refused.sentence, ids=["backup.stores"])
    regions = {store.region for store in stores}
    foreign = sorted(regions - EU_REGIONS)
    if foreign or len(regions) < places.LEAST:
        bad = foreign or sorted(regions)
        return broken(f"Backups do not lie in two regions of the Union: {shorten(bad)}.", ids=bad)
    newest = catalogue.look(stores, places.key_service()).newest()
    if newest is None:
        return unknown(f"The stores lie in {shorten(regions)}, and there is no backup in them yet.")
    holding = {store.region for store in newest.stores if is_whole(store, newest.manifest.contents_blob)}
    lacking = sorted(regions - holding)
    if lacking:
        sentence = f"The last backup cannot be read back in {shorten(lacking)}."
        return broken(sentence, ids=lacking, population=len(regions))
    parts = {store.region: catalogue.lacking(newest, store) for store in newest.stores}
    bad = [f"{region} lacks {count} parts" for region, count in sorted(parts.items()) if count]
    if bad:
        return broken(f"The last backup is not whole: {shorten(bad)}.", ids=bad, population=len(regions))
    return held(f"The last backup was read back in {shorten(regions)}.", population=len(regions))
