"""Nothing was processed without a basis valid at that moment, and nothing is being processed now (clause 1.1.d)."""

from uuid import UUID, uuid4

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.purposes import selectors as purposes
from headshotly.purposes import services
from headshotly.purposes.errors import ConsentMissing
from headshotly.purposes.texts import HEADSHOT_GENERATION
from headshotly.studio import selectors as studio

_MOST = 5000


def _agreed(subject: UUID, moment: object) -> bool:
    return purposes.agreed_at(subject, HEADSHOT_GENERATION, moment)  # type: ignore[arg-type]  # a column's value


@check(
    id="photos_have_basis",
    clauses=("1.1.d",),
    title="No photo without consent",
    words="For the newest photos and shoots we look whether the person's consent was in force when we took or used "
    "them, and whether anything is being made now for somebody who took it back. We also ask for processing for a "
    "person who never agreed, which must be refused.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Hold the studio's records against the consent register."""
    try:
        services.require_consent(subject=uuid4(), activity=HEADSHOT_GENERATION)
    except ConsentMissing:
        pass
    else:
        return broken("Processing was allowed for a person who never agreed.", ids=["gate:require_consent"])
    photos = list(studio.photos_received_before(scene.now).order_by("-received_at")[:_MOST])
    shoots = list(studio.shoots_started()[:_MOST])
    bad = [f"photo {one.id}" for one in photos if not _agreed(one.subject, one.received_at)]
    bad += [f"shoot {one.id}" for one in shoots if not _agreed(one.subject, one.started_at)]
    bad += [f"shoot {one.id}" for one in studio.running_shoots() if not _agreed(one.subject, scene.now)]
    population = len(photos) + len(shoots)
    if bad:
        return broken(f"Processed without a consent in force: {shorten(bad)}.", ids=bad, population=population)
    if not population:
        return unknown("Nobody has uploaded a photo yet; the gate refused a person who never agreed.")
    return held(
        f"{len(photos)} photos and {len(shoots)} shoots each had a consent in force when they were processed.",
        population=population,
    )
