"""The words a generative model is given: ours alone, one set a style, and refused where anything else is in them.

A customer chooses a style and a colour, and types nothing: what is never written cannot be abused.
"""

import re

from headshotly.studio.errors import PromptRefused
from headshotly.studio.styles import STYLES, Style

_KEEP = (
    "Professional studio headshot of the same person as in the reference photos. Keep the face, age, skin tone, "
    "hair, glasses and expression exactly as they are. Business clothing, natural skin texture, soft studio light, "
    "85 mm lens, head and shoulders, looking into the camera."
)
NEGATIVE = (
    "another person, several people, changed identity, changed skin tone, nudity, bare shoulders, child, celebrity, "
    "uniform, text, logo, watermark, plastic skin, deformed, extra fingers, blurry"
)
_BEHIND = {"studio": "Plain {colour} studio background.", "office": "Bright office, far out of focus.",
           "outdoor": "Leaves and light, far out of focus."}  # fmt: skip
_ALLOWED = re.compile(
    re.escape(_KEEP) + r" (?:Plain #[0-9a-f]{6} studio background\.|Bright office, far out of focus\.|"
    r"Leaves and light, far out of focus\.)"
)


def prompt(style: Style) -> str:
    """Return what a model is told for a style."""
    return f"{_KEEP} {_BEHIND[style.backdrop].format(colour=style.swatch)}"


def require_ours(text: str) -> str:
    """Return a prompt that is one of ours, word for word.

    Raises:
        PromptRefused: it is not (EU AI Act, Art. 5: nothing manipulative, no other person, no nudity can be asked for).
    """
    if not _ALLOWED.fullmatch(text):
        raise PromptRefused("A generative model is only given words of ours.")
    return text


ALL = tuple(prompt(style) for style in STYLES.values())
