"""The badge: a small picture that says how the policy stands; drawn here, nothing is fetched (SVG 1.1)."""

from xml.sax.saxutils import escape, quoteattr  # nosec B406 - it writes, nothing is parsed

from headshotly.proof.verdicts import Verdict

_GLYPH, _PADDING, _HEIGHT = 6.7, 16, 20  # pixels; DejaVu Sans at 11 px is 6.7 wide on average
_COLOURS = {"good": "#1d6b45", "bad": "#a3302a", "warn": "#8a5a10", "dim": "#4f5b56", "soft": "#34597a"}
_LEFT = "#26302b"


def draw(label: str, message: str, *, tone: str) -> str:
    """Return the badge as SVG.

    Args:
        label: left half.
        message: right half.
        tone: key of the colours, as ``trust_words`` names them.
    """
    left, right = (round(len(words) * _GLYPH + _PADDING) for words in (label, message))
    said, name, value = f"{label}: {message}", escape(label), escape(message)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" role="img" '
        f"aria-label={quoteattr(said)}><title>{escape(said)}</title>"
        f'<clipPath id="r"><rect width="{left + right}" height="{_HEIGHT}" rx="4"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="{_HEIGHT}" fill="{_LEFT}"/>'
        f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{_COLOURS[tone]}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2}" y="14" textLength="{left - _PADDING}">{name}</text>'
        f'<text x="{left + right / 2}" y="14" textLength="{right - _PADDING}">{value}</text></g></svg>\n'
    )


def of_policy(counts: dict[Verdict, int], *, total: int, production: bool) -> str:
    """Return the badge of the whole policy; outside production it says so first."""
    broken = counts.get(Verdict.FAIL, 0) + counts.get(Verdict.ERROR, 0)
    holding = counts.get(Verdict.PASS, 0)
    message = f"{holding} of {total} promises hold" + (f", {broken} broken" if broken else "")
    tone = "bad" if broken else "good" if holding == total else "warn" if counts.get(Verdict.STALE) else "dim"
    if holding and not broken and tone == "dim":
        tone = "soft"
    return draw("security policy" if production else "security policy (not production)", message, tone=tone)
