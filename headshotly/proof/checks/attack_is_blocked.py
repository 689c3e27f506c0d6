"""A planted attack is refused, and seen as an alert where the detector runs (clause 2.3.b)."""

import secrets

from headshotly.incidents import planting
from headshotly.policy import clock
from headshotly.proof.findings import Assurance, Finding, broken, held
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said

LIMIT_SECONDS = 10.0
_ATTACKS = {
    "SQL injection": "%27%20OR%20%271%27%3D%271",
    "cross-site scripting": "%3Cscript%3Ealert(1)%3C/script%3E",
    "path traversal": "..%2F..%2F..%2Fetc%2Fpasswd",
}
_REFUSED, _ANSWERED = 403, 200


@check(
    id="attack_is_blocked",
    clauses=("2.3.b",),
    title="A planted attack is blocked",
    words="We send the running service three harmless requests that look like attacks, and the same request without. "
    "The attacks must be refused, the other answered, and an alert must tell of it.",
    assurance=Assurance.ENFORCED,
)
def look(scene: Scene) -> Finding:
    """Attack, and look whether anybody noticed."""
    service, began, mark = scene.service, clock.now(), secrets.token_hex(6)
    if service.fetch(f"/?planted={mark}").status != _ANSWERED:
        sentence = "A harmless request was refused, so nothing can be told of attacks."
        return broken(said(sentence, service), ids=["harmless"], emulated=service.emulated)
    bad = [kind for kind, text in _ATTACKS.items() if service.fetch(f"/?planted={mark}{text}").status != _REFUSED]
    if bad:
        sentence = f"An attack was answered: {', '.join(bad)}."
        return broken(said(sentence, service), ids=bad, population=len(_ATTACKS), emulated=service.emulated)
    sentence = f"{len(_ATTACKS)} planted attacks were refused"
    if service.emulated:
        return held(said(f"{sentence}.", service), population=len(_ATTACKS), emulated=True)
    seconds = planting.wait_for_blocked(since=began, at_most=LIMIT_SECONDS)
    if seconds is None:
        return broken(f"{sentence}, but no alert told of it within {LIMIT_SECONDS:.0f} seconds.", ids=["alert"])
    return held(f"{sentence}, and an alert told of it after {seconds:.1f} seconds.", population=len(_ATTACKS))
