"""The notice people are shown says what is declared, no more and no less (clause 1.2.e)."""

import json

from headshotly.proof import pages
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said
from headshotly.purposes import notices


def _said_to_programs(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    return str(document.get("sha256", "")) if isinstance(document, dict) else ""


@check(
    id="notice_is_the_declarations",
    clauses=("1.2.e",),
    title="The notice says what is declared",
    words="We read the privacy notice and the notice at collection off the running service and compare them with the "
    "declarations of what the software processes: every activity must be there, word for word.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Compare both pages and the notice for programs with the declarations."""
    service, declared = scene.service, notices.about_customers()
    english = {"Accept-Language": "en"}
    shown = {path: pages.words(service.fetch(path, english).text) for path in ("/privacy/", "/privacy/collection/")}
    bad = [
        f"{path} does not name {one.id}"
        for path, text in shown.items()
        for one in declared
        if " ".join(one.purpose.split()) not in text
    ]
    expected = notices.privacy_notice(scene.here.operator).sha256
    if _said_to_programs(service.fetch("/privacy/notice.json", english).body) != expected:
        bad.append("/privacy/notice.json says something else")
    if bad:
        sentence = f"The notice is not what is declared: {shorten(bad, most=3)}."
        return broken(said(sentence, service), ids=bad, population=len(declared), emulated=service.emulated)
    sentence = f"The notices shown name all {len(declared)} declared activities."
    return held(said(sentence, service), population=len(declared), emulated=service.emulated)
