"""Every cookie travels over HTTPS only, is bound to this host and closed to other sites (clause 3.1.b)."""

from headshotly.proof.doors import public_pages
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said


def _wrong(cookie: str) -> str:
    """Return what is wrong with a Set-Cookie header, empty where nothing is."""
    name, *flags = [part.strip().lower() for part in cookie.split(";")]
    missing = [flag for flag in ("secure", "path=/") if flag not in flags]
    if not name.startswith("__host-"):
        missing.append("__Host-")
    if not any(flag in flags for flag in ("samesite=lax", "samesite=strict")):
        missing.append("SameSite")
    if any(flag.startswith("domain=") for flag in flags):
        missing.append("no Domain")
    if "httponly" not in flags and not name.startswith("__host-csrf="):
        missing.append("HttpOnly")
    return f"{cookie.partition('=')[0]} lacks {', '.join(missing)}" if missing else ""


@check(
    id="cookie_flags",
    clauses=("3.1.b",),
    title="Cookies travel over HTTPS only",
    words="We look at every cookie that any public page sets: it must be marked as secure, bound to this very host, "
    "and not be sent along by other sites.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Collect the cookies of every public page."""
    service = scene.service
    cookies = [cookie for path in public_pages() for cookie in service.fetch(path).all("set-cookie")]
    bad = [wrong for wrong in map(_wrong, cookies) if wrong]
    if bad:
        sentence = f"A cookie is not protected: {shorten(bad)}."
        return broken(said(sentence, service), ids=bad, population=len(cookies), emulated=service.emulated)
    if not cookies:
        return unknown(said("No public page set a cookie, so nothing was seen.", service), emulated=service.emulated)
    sentence = f"All {len(cookies)} cookies set by public pages are secure, bound to this host and closed to others."
    return held(said(sentence, service), population=len(cookies), emulated=service.emulated)
