"""security.txt is where researchers look, signed by our key, and not about to expire (clause 10.3)."""

from headshotly.proof import openpgp, security_txt
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said
from headshotly.proof.security_text import ADDRESS, contacts

_KEY = "/trust/openpgp-key.asc"


@check(
    id="security_txt_valid",
    clauses=("10.3",),
    title="Researchers find our security address",
    words="We fetch security.txt from its well-known place and our public key beside it, verify the signature, and "
    "look whether the text names our contacts, gives its own address and has not expired.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Fetch text and key as anybody does, and judge the text by RFC 9116."""
    service = scene.service
    text, key = service.fetch(ADDRESS), service.fetch(_KEY)
    faults = [f"{path} answers {got.status}" for path, got in ((ADDRESS, text), (_KEY, key)) if got.status != 200]  # noqa: PLR2004 - HTTP's OK
    if faults and service.emulated:
        sentence = "security.txt is not there: the duty that signs it runs with the service, which is not running."
        return unknown(sentence, emulated=True)
    if not faults and not text.header("content-type").startswith("text/plain"):
        faults = ["It is not served as plain text (RFC 9116, 3)."]
    if not faults:
        inside = openpgp.signed_text(text.text, key.text)
        own = contacts()
        faults = (
            ["Its signature does not hold under the key we publish."]
            if inside is None
            else security_txt.problems(inside, canonical=own.public_url + ADDRESS, at=scene.now)
        )
    if faults:
        sentence = f"security.txt is not as promised: {' '.join(faults)}"
        return broken(said(sentence, service), ids=faults, population=1, emulated=service.emulated)
    sentence = "security.txt is in its place, signed, names our contacts and is in date."
    return held(said(sentence, service), population=1, emulated=service.emulated)
