"""Global Privacy Control is honoured and shown as honoured (clause 1.2.d, 11 CCR 7025(c)(6))."""

import json

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said

_SHOWN = "Opt-Out Request Honored"
_PATHS = ("/", "/privacy/choices/", "/account/sign-up/")


def _declared(body: bytes) -> bool:
    try:
        document = json.loads(body)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("gpc") is True


@check(
    id="privacy_signal_honoured",
    clauses=("1.2.d",),
    title="The privacy signal is honoured",
    words="We visit pages with the Global Privacy Control signal switched on; each must say that the opt-out is "
    "honoured, and the published address for browsers must declare it.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Visit with the signal, and without it to see that it is the signal that is answered."""
    service = scene.service
    bad = [path for path in _PATHS if _SHOWN not in service.fetch(path, {"Sec-GPC": "1"}).text]
    if _SHOWN in service.fetch("/").text:
        bad.append("/ without the signal")
    if not _declared(service.fetch("/.well-known/gpc.json").body):
        bad.append("/.well-known/gpc.json")
    population = len(_PATHS) + 2
    if bad:
        sentence = f"The privacy signal is not answered as it should be at {shorten(bad)}."
        return broken(said(sentence, service), ids=bad, population=population, emulated=service.emulated)
    sentence = "Pages visited with the privacy signal say that the opt-out is honoured."
    return held(said(sentence, service), population=population, emulated=service.emulated)
