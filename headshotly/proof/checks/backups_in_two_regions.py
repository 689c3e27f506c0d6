"""The last backup is in two regions of the Union or more, and everything it needs is in each (clause 6.1.b)."""

from headshotly.continuity import catalogue, places, selectors
from headshotly.continuity.errors import PlacesRefused
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors.regions import EU_REGIONS

LEAST = 2


@check(
    id="backups_in_two_regions",
    clauses=("6.1.b",),
    title="Backups lie in two regions of the Union",
    words="We list what each backup store holds: there must be stores in two regions of the European Union or more, "
    "and the newest backup must be in each of them, with every part it names, in its full size.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Hold the newest backup against what each store lists."""
    try:
        stores = places.stores()
    except PlacesRefused as refusal:
        return broken(refusal.sentence, ids=["backup stores"])
    regions = {store.region for store in stores}
    if len(regions) < LEAST or not regions <= EU_REGIONS:
        return broken("The stores do not lie in two regions of the European Union.", ids=sorted(regions))
    found = catalogue.look(stores, places.key_service())
    newest = found.newest()
    if newest is None:
        if selectors.has_whole_backup():
            return broken("Backups were made, and no store has one.", ids=sorted(regions))
        return unknown("No backup was made yet.")
    bad = [f"{region}: {why}" for region, why in found.silent.items()]
    lacking = {store.region: catalogue.lacking(newest, store) for store in stores if store.region not in found.silent}
    bad += [f"{region} lacks {count} parts of the newest backup" for region, count in lacking.items() if count]
    if bad:
        return broken(f"{bad[0]}.", ids=bad, population=len(stores))
    return held(f"The newest backup is whole in {' and '.join(sorted(regions))}.", population=len(stores))
