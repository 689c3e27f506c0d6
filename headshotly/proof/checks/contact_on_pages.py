"""Every page names the operator with its addresses (clause 12)."""

from headshotly.proof import pages
from headshotly.proof.doors import public_pages
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said

_PAGES = {200, 404}


@check(
    id="contact_on_pages",
    clauses=("12",),
    title="Every page says how to reach us",
    words="We read every public page and look for our postal address and the addresses for security and privacy.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Read every public page, and one that is not there."""
    service, operator = scene.service, scene.here.operator
    facts = (operator.name, operator.postal_address, operator.security_email, operator.privacy_email)
    read, bad = 0, []
    for path in [*public_pages(), "/nothing-here/"]:
        answer = service.fetch(path)
        if "html" not in answer.header("content-type") or answer.status not in _PAGES:
            continue
        read, text = read + 1, pages.words(answer.text)
        bad += [f"{path} lacks {fact}" for fact in facts if fact not in text]
    if bad:
        sentence = f"A page does not say how to reach us: {shorten(bad, most=3)}."
        return broken(said(sentence, service), ids=bad, population=read, emulated=service.emulated)
    sentence = f"{read} pages name the operator with its addresses."
    return held(said(sentence, service), population=read, emulated=service.emulated)
