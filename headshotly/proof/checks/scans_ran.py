"""Code, dependencies and the running service were scanned at the commit that is running (clause 4.2.b)."""

from headshotly.lifecycle import selectors
from headshotly.lifecycle.states import Method
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.proof.source import running_source

_NEEDED = (Method.CODE, Method.SERVICE, Method.DEPENDENCIES)
_SHOWN = 12


@check(
    id="scans_ran",
    clauses=("4.2.b",),
    title="Scans of the running commit",
    words="We read the register of scans: the code, the libraries it uses and the running service must each have been "
    "scanned at exactly the source that is running, every scan must have come to its end, and nothing that scans found "
    "may be open past its limit.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Hold the register of scans against the running source."""
    source = running_source()
    by_method = {method: selectors.newest_scans(source, method) for method in _NEEDED}
    scans = [one for found in by_method.values() for one in found]
    failed = [one.tool for one in scans if not one.succeeded]
    if failed:
        return broken(f"On {source[:_SHOWN]} {shorten(failed)} did not come to its end.", ids=failed)
    late = [one.reference for one in selectors.overdue() if one.method in _NEEDED]
    if late:
        return broken(f"{shorten(late)} was found by a scan and is past its limit.", ids=late, population=len(scans))
    lacking = [Method(method).label.lower() for method, found in by_method.items() if not found]
    if lacking:
        return unknown(f"No scan of {shorten(lacking)} at the running commit {source[:_SHOWN]} was taken in.")
    tools = [one.tool for one in scans]
    return held(
        f"{shorten(tools)} scanned the running commit {source[:_SHOWN]} to the end.",
        population=len(scans),
        observed_from=min(one.ran_at for one in scans),
    )
