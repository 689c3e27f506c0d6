"""No page loads anything from elsewhere, and none could (clause 1.2.d)."""

from urllib.parse import urlsplit

from headshotly.proof import pages
from headshotly.proof.doors import addresses
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Answer, Scene, said


def _paths() -> list[str]:
    """Return every address without a parameter in it, and one that is not there."""
    found = {door.name for door in addresses() if "<" not in door.name and "sign-out" not in door.name}
    return sorted({*found, "/nothing-here/"})


def _wrong(path: str, answer: Answer, own: frozenset[str]) -> list[str]:
    loose = [f"{path} allows {source}" for source in pages.loose_sources(answer.header("content-security-policy"))]
    if "html" not in answer.header("content-type"):
        return loose
    return loose + [f"{path} loads {address}" for address in pages.foreign(answer.text, own=own)]


@check(
    id="pages_load_nothing_foreign",
    clauses=("1.2.d",),
    title="Pages load nothing foreign",
    words="We fetch every page that has a fixed address and list what it would load or send. Anything on another host "
    "fails, and so does a page whose content security policy would let a browser go elsewhere.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Fetch every page as a stranger."""
    service, paths = scene.service, _paths()
    own = frozenset({urlsplit(scene.here.public_url).hostname or "", "localhost", service.host})
    bad = [one for path in paths for one in _wrong(path, service.fetch(path), own)]
    if bad:
        sentence = f"A page reaches outside: {shorten(bad)}."
        return broken(said(sentence, service), ids=bad, population=len(paths), emulated=service.emulated)
    sentence = f"{len(paths)} pages load nothing from elsewhere, and their policy allows nothing else."
    return held(said(sentence, service), population=len(paths), emulated=service.emulated)
