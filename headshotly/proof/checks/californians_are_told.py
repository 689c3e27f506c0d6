"""Californians are told as their law requires (clause 8.3.c)."""

from headshotly.incidents.obligations import Addressee
from headshotly.proof.breach_clocks import look_at_clocks
from headshotly.proof.findings import Assurance, Finding
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="californians_are_told",
    clauses=("8.3.c",),
    title="Californians are told as their law requires",
    words="We go through every recorded breach: where Californian law requires it, residents were told "
    "within 30 days, and the Attorney General got a copy where there are many.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Look at the clocks of every breach."""
    return look_at_clocks(
        Addressee.RESIDENTS, Addressee.ATTORNEY_GENERAL, told="residents of California or their Attorney General"
    )
