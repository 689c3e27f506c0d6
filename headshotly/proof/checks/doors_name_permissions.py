"""Every address, command, task and duty names the permission it needs (clause 2.4.a)."""

from headshotly.proof import doors
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="doors_name_permissions",
    clauses=("2.4.a",),
    title="No way in without a permission",
    words="We walk every address of the site, every command, every background task and every regular duty of the "
    "running software; each must name the permission it needs.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Walk them all."""
    found = doors.every()
    missing = {"address", "command", "task", "duty"} - {door.kind for door in found}
    if missing:
        return broken(f"The walk found no {shorten(missing)} at all.", ids=missing, population=len(found))
    bad = [f"{door.kind} {door.name}" for door in found if door.needed is None]
    if bad:
        return broken(f"No permission is named by {shorten(bad)}.", ids=bad, population=len(found))
    return held(f"All {len(found)} ways in name the permission they need.", population=len(found))
