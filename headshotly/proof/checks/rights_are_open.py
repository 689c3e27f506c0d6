"""Knowing, correcting and deleting are there for everybody, with and without an account (clause 1.2.c)."""

from headshotly.proof.doors import addresses
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said

_OK, _FOUND = 200, 302
_SIGN_IN = "/account/sign-in/"


@check(
    id="rights_are_open",
    clauses=("1.2.c",),
    title="The ways to your data are open",
    words="We visit the pages on which people see, copy, correct and delete what we hold: the form for people without "
    "an account must open, and the pages of an account must lead a stranger to the sign-in, not to anybody's data.",
    assurance=Assurance.ENFORCED,
)
def look(scene: Scene) -> Finding:
    """Visit each as a stranger."""
    service = scene.service
    own = [door.name for door in addresses() if door.name.startswith("/your-data/") and "<" not in door.name]
    bad = []
    answer = service.fetch("/privacy/ask/")
    if answer.status != _OK or "<form" not in answer.text:
        bad.append("/privacy/ask/")
    for path in own:
        answer = service.fetch(path)
        refused = answer.status in {403, 405}
        if not refused and not (answer.status == _FOUND and answer.header("location").startswith(_SIGN_IN)):
            bad.append(path)
    if not own:
        bad.append("/your-data/")
    if bad:
        sentence = f"Not as it should be: {shorten(bad)}."
        return broken(said(sentence, service), ids=bad, population=len(own) + 1, emulated=service.emulated)
    sentence = f"The form for everybody opens, and {len(own)} pages of an account ask a stranger to sign in."
    return held(said(sentence, service), population=len(own) + 1, emulated=service.emulated)
