"""Releases were reviewed by somebody other than their author; the running commit is one of them (clause 4.2.a)."""

from headshotly.lifecycle import selectors
from headshotly.lifecycle.models import Release
from headshotly.proof.findings import Assurance, Environment, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.proof.source import running_source

_SHOWN = 12


def _unreviewed(one: Release) -> bool:
    """Say whether a release went out without a review by somebody else before it."""
    if one.released_at is None:
        return False
    reviewed = one.reviewer_id is not None and one.reviewed_at is not None
    return not reviewed or one.reviewer_id == one.author_id or (one.reviewed_at or one.released_at) > one.released_at


@check(
    id="releases_reviewed",
    clauses=("4.2.a",),
    title="Releases are reviewed",
    words="We read the record of releases: each that went out must have been reviewed before, by a member of staff who "
    "did not write it, and the source that is running must be one of them.",
    assurance=Assurance.HUMAN,
)
def look(scene: Scene) -> Finding:
    """Hold the releases and the running source against the reviews."""
    source = running_source()
    out = [one for one in selectors.releases(most=10_000) if one.released_at is not None]
    bad = [one.commit[:_SHOWN] for one in out if _unreviewed(one)]
    if bad:
        return broken(f"{shorten(bad)} went out without a review by somebody else.", ids=bad, population=len(out))
    running = next((one for one in out if one.commit == source), None)
    if running is None:
        sentence = f"The running source {source[:_SHOWN]} is no release that was reviewed and let out."
        live = scene.environment is Environment.PRODUCTION
        return broken(sentence, ids=[source], population=len(out)) if live else unknown(sentence)
    return held(
        f"All {len(out)} releases were reviewed by somebody else before, the running {running.version} too.",
        population=len(out),
    )
