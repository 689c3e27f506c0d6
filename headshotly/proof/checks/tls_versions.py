"""A live handshake at every version of TLS (clause 3.1.a)."""

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.handshakes import VERSIONS, attempt, client_speaks
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said

_OLD = ("TLS 1.0", "TLS 1.1")
_NEW = ("TLS 1.2", "TLS 1.3")


@check(
    id="tls_versions",
    clauses=("3.1.a",),
    title="Handshakes at every TLS version",
    words="We connect to the running service with TLS 1.0 and 1.1, which must be refused, and with 1.2 and 1.3, which "
    "must work. Beforehand we make sure that our own side could have spoken the old versions.",
    assurance=Assurance.ENFORCED,
)
def look(scene: Scene) -> Finding:
    """Try all four."""
    mute = [name for name in (*_OLD, *_NEW) if not client_speaks(VERSIONS[name])]
    if mute:
        return unknown(f"This machine's own library cannot speak {shorten(mute)}, so a refusal would prove nothing.")
    service = scene.service
    tried = {name: attempt(service.host, service.port, VERSIONS[name]) for name in (*_OLD, *_NEW)}
    weak = [name for name in _OLD if tried[name].accepted]
    lost = [name for name in _NEW if not tried[name].accepted]
    if weak:
        sentence = f"Port {service.port} accepted a handshake with {shorten(weak)}."
        return broken(said(sentence, service), ids=weak, population=4, emulated=service.emulated)
    if lost:
        sentence = f"Port {service.port} refused a handshake with {shorten(lost)} ({tried[lost[0]].why})."
        return broken(said(sentence, service), ids=lost, population=4, emulated=service.emulated)
    sentence = "Handshakes with TLS 1.0 and 1.1 were refused, with 1.2 and 1.3 accepted."
    return held(said(sentence, service), population=4, emulated=service.emulated)
