"""Plain HTTP leads to HTTPS and nowhere else, and browsers are told to stay there (clause 3.1.b)."""

import re

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Answer, Scene, said

_PATHS = ("/", "/account/sign-in/", "/studio/", "/staff/", "/privacy/notice.json", "/nothing-here/")
_SHORTEST_HSTS = {"production": 31_536_000, "staging": 31_536_000}
_MAX_AGE = re.compile(r"max-age=(\d+)")


def _redirects(answer: Answer, public_url: str, path: str) -> bool:
    return answer.status in {301, 308} and answer.header("location") == f"{public_url}{path}"


@check(
    id="https_only",
    clauses=("3.1.b",),
    title="Plain HTTP only redirects",
    words="We ask for several pages over plain HTTP; each must answer with nothing but the way to the same page over "
    "HTTPS. Over HTTPS each must tell the browser to use HTTPS from now on (HSTS).",
    assurance=Assurance.ENFORCED,
)
def look(scene: Scene) -> Finding:
    """Ask for each page over both."""
    service, shortest = scene.service, _SHORTEST_HSTS.get(scene.here.environment, 1)
    bad = []
    for path in _PATHS:
        plain = service.fetch_plain(path)
        if not _redirects(plain, scene.here.public_url, path) or plain.body:
            bad.append(f"http {path}")
        told = _MAX_AGE.search(service.fetch(path).header("strict-transport-security"))
        if told is None or int(told[1]) < shortest:
            bad.append(f"hsts {path}")
    if bad:
        sentence = f"Not only HTTPS: {shorten(bad)}."
        return broken(said(sentence, service), ids=bad, population=2 * len(_PATHS), emulated=service.emulated)
    sentence = f"{len(_PATHS)} pages over plain HTTP answered with a redirect only, and over HTTPS with HSTS."
    return held(said(sentence, service), population=2 * len(_PATHS), emulated=service.emulated)
