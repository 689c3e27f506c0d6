"""The styles a customer chooses from: a background, a crop, and the words for them."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from headshotly.studio.errors import StyleUnknown

type Backdrop = Literal["studio", "office", "outdoor"]
type Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Crop:
    """A shape.

    Attributes:
        width: parts of width.
        height: parts of height.
        pixels: width and height of the result at least, in pixels; that of a small face stays as small as it is.
        head: height of the head, hair to chin, by the height of the result.
        room: space above the head, by the height of the result.
        demanded: width and height under which the result is of no use, in pixels.
    """

    width: int
    height: int
    pixels: tuple[int, int]
    head: float
    room: float
    demanded: tuple[int, int] = (1, 1)


PORTRAIT = Crop(4, 5, (1228, 1536), 0.52, 0.10)
SQUARE = Crop(1, 1, (1400, 1400), 0.60, 0.09)
THREE_FOUR = Crop(3, 4, (1200, 1600), 0.50, 0.10)
BANNER = Crop(16, 9, (1920, 1080), 0.64, 0.09)
IDENTITY = Crop(7, 9, (1228, 1580), 0.72, 0.09, demanded=(413, 531))  # 35 by 45 mm at 300 dots an inch


@dataclass(frozen=True, slots=True)
class Style:
    """One way a headshot can look.

    Attributes:
        id: stable name.
        title: what the page calls it.
        description: one sentence about when to choose it.
        backdrop: what lies behind the person.
        colours: of the backdrop, centre and edge, sRGB.
        crop: the shape.
    """

    id: str
    title: str
    description: str
    backdrop: Backdrop
    colours: tuple[Colour, Colour]
    crop: Crop = PORTRAIT

    @property
    def swatch(self) -> str:
        """Return the backdrop's main colour as ``#rrggbb``."""
        return "#{:02x}{:02x}{:02x}".format(*self.colours[0])


BRAND = "brand"
_ALL = (
    Style(
        "studio-grey", "Studio grey", "The classic: calm grey that suits everybody.", "studio",
        ((196, 199, 203), (142, 146, 152)),
    ),
    Style(
        "studio-white", "White", "Bright and plain, for shops and directories.", "studio",
        ((252, 252, 252), (236, 237, 239)),
    ),
    Style(
        "studio-navy", "Navy", "Deep blue with authority, for law, finance and boards.", "studio",
        ((52, 74, 110), (20, 30, 52)),
    ),
    Style(
        "studio-warm", "Warm", "Soft sand tones, friendly and personal.", "studio",
        ((222, 203, 182), (176, 150, 124)),
    ),
    Style(
        "studio-black", "Black", "Dramatic and reduced, for artists and speakers.", "studio",
        ((44, 45, 48), (12, 12, 14)),
    ),
    Style(
        "office", "Office blur", "Your own background, out of focus.", "office", ((150, 150, 150), (110, 110, 110)),
    ),
    Style(
        "outdoor", "Outdoor blur", "Leaves and light, far out of focus.", "outdoor", ((176, 190, 150), (84, 102, 80)),
    ),
    Style(
        BRAND, "Brand colour", "Your company's colour, chosen by you.", "studio", ((44, 98, 172), (24, 58, 108)),
    ),
    Style(
        "linkedin", "LinkedIn", "Square, face large enough for a small circle.", "studio",
        ((196, 199, 203), (142, 146, 152)), SQUARE,
    ),
    Style(
        "cv", "CV", "Three by four on light grey, as applications want it.", "studio",
        ((238, 239, 241), (214, 217, 221)), THREE_FOUR,
    ),
    Style(
        "id-photo", "ID", "Straight and plain on near-white. Offices set their own rules; check them first.", "studio",
        ((244, 245, 246), (238, 239, 241)), IDENTITY,
    ),
    Style(
        "banner", "Banner", "Wide, for the top of a page.", "studio", ((168, 176, 186), (96, 106, 120)), BANNER,
    ),
)  # fmt: skip
STYLES = {style.id: style for style in _ALL}
DEFAULT = "studio-grey"
_COLOUR = re.compile(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")


def style(style_id: str, *, brand_colour: str = "") -> Style:
    """Return a style by its id; ``brand`` takes the customer's colour.

    Args:
        style_id: one of ``STYLES``.
        brand_colour: ``#rrggbb``; only ``brand`` uses it, and without it keeps its blue.

    Raises:
        StyleUnknown: there is no such style, or the colour is none.
    """
    if style_id not in STYLES:
        raise StyleUnknown(f"There is no style “{style_id}”. Choose from: {', '.join(STYLES)}.")
    chosen = STYLES[style_id]
    if style_id != BRAND or not brand_colour:
        return chosen
    match = _COLOUR.fullmatch(brand_colour.strip())
    if match is None:
        raise StyleUnknown(f"“{brand_colour[:20]}” is no colour. Write it like #2c62ac.")
    red, green, blue = (int(part, 16) for part in match.groups())
    edge = (int(red * 0.62), int(green * 0.62), int(blue * 0.62))
    return replace(chosen, colours=((red, green, blue), edge))
