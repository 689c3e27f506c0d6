"""No card number in any row, file or log, and none gets in (clause 7.1.b)."""

from headshotly.orders import card_scan
from headshotly.proof import stores
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said

_REFUSED = 422
_PUBLISHED = "4242424242424242"  # Stripe's own example; no account stands behind it


@check(
    id="no_card_numbers_kept",
    clauses=("7.1.b",),
    title="No card number is kept",
    words="We try to send the service a card number that Stripe publishes for tests, which must be refused, and then "
    "read every row of the databases and every text file and log, looking for anything that could be a card number. We "
    "name places only.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Knock, then scan."""
    service = scene.service
    answer = service.fetch(f"/orders/prices/?coupon={_PUBLISHED}")
    bad = [] if answer.status == _REFUSED else [f"the service took a card number and answered {answer.status}"]
    found = card_scan.scan(folders=stores.folders(scene.here))
    bad += [f"{place} holds what looks like a card number" for place in found.places]
    if bad:
        sentence = f"Not as promised: {shorten(bad)}."
        return broken(said(sentence, service), ids=bad, population=found.values, emulated=service.emulated)
    sentence = f"A card number was refused, and none is in any of {found.values} values and texts kept."
    return held(said(sentence, service), population=found.values, emulated=service.emulated)
