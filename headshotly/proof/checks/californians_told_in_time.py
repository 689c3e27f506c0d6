"""Residents of California, and their Attorney General, are told as their law requires (clause 8.3.c)."""

from headshotly.incidents.obligations import Addressee
from headshotly.proof.breach_clocks import look_at
from headshotly.proof.findings import Assurance, Finding
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="californians_told_in_time",
    clauses=("8.3.c",),
    title="Californians are told in time",
    words="We hold every breach in our register against Californian law: whom it must be told to there, "
    "and until when.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Look at the register and its clocks."""
    return look_at(Addressee.RESIDENTS, Addressee.ATTORNEY_GENERAL)
