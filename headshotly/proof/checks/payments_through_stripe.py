"""Money comes and goes through Stripe only, and every message, booking and refund is accounted for (clause 7.1.a)."""

import datetime as dt

from headshotly.orders import oversight
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_PATIENCE = dt.timedelta(days=2)


@check(
    id="payments_through_stripe",
    clauses=("7.1.a",),
    title="Payments go through Stripe and add up",
    words="We send ourselves forged payment messages, which must be refused, and go through every order: it was paid "
    "at Stripe and nowhere else, its bookings balance, and no message, refund or daily comparison with Stripe is "
    "overdue. Where no Stripe key is configured, the test checkout is looked at instead, and that is said.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Forge, walk, add up."""
    service = oversight.payment_service()
    emulated = service != "stripe"
    forged, believed = oversight.forged_messages()
    bad = [f"the forged message {name} was believed" for name in believed]
    if emulated and scene.here.environment == "production":
        bad.append(f"payments of this installation: {service or 'none can be taken'}")
    bad += oversight.irregularities(patience=_PATIENCE)
    population = forged + oversight.count_orders()
    if bad:
        return broken(f"Not as promised: {shorten(bad)}.", ids=bad, population=population, emulated=emulated)
    where = "the test checkout" if emulated else "Stripe"
    sentence = (
        f"{forged} forged messages were refused; {population - forged} orders, paid through {where}, balance, and "
        "nothing is overdue."
    )
    return held(sentence, population=population, emulated=emulated)
