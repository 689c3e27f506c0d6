"""Letters, notices and invoices as PDF, in every language the house speaks: the one place that draws pages.

The fonts are embedded (``fonts/``), so that a page looks the same everywhere and holds Polish letters. Nothing is
fetched, no script runs, and the same content gives the same bytes.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape  # nosec B406 - it writes, nothing is parsed

from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import ListFlowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from headshotly.policy.operator import Operator

_FONTS = Path(__file__).resolve().parent / "fonts"
_REGULAR, _BOLD = "HeadShotlySans", "HeadShotlySans-Bold"
_MARGIN = 20 * mm
_INK, _SOFT, _LINE = colors.HexColor("#1d2421"), colors.HexColor("#56615c"), colors.HexColor("#d9d3c6")


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    words: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of points."""

    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; every row has as many cells as the head.

    Attributes:
        head: column titles.
        rows: cells in words.
        widths: shares of the page's width; empty means equal ones.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()


type Block = Text | Bullets | Grid


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and what stands under it."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What goes on paper.

    Attributes:
        title: on the first page and in the file's description.
        lead: lines under the title, such as reference and date.
        parts: what it says.
        language: BCP 47, for screen readers.
        page_word: what “page” is in that language.
        type_points: size of the running text in points; the notice of 1798.82 wants ten or more.
    """

    title: str
    parts: tuple[Part, ...]
    lead: tuple[str, ...] = ()
    language: str = "en"
    page_word: str = "Page"
    type_points: float = field(default=10)


@cache
def _register_fonts() -> None:
    pdfmetrics.registerFont(TTFont(_REGULAR, str(_FONTS / "DejaVuSans.ttf")))
    pdfmetrics.registerFont(TTFont(_BOLD, str(_FONTS / "DejaVuSans-Bold.ttf")))


def _styles(points: float) -> dict[str, ParagraphStyle]:
    body = ParagraphStyle(
        "body", fontName=_REGULAR, fontSize=points, leading=points * 1.45, textColor=_INK, alignment=TA_LEFT
    )
    return {
        "body": body,
        "soft": ParagraphStyle("soft", parent=body, textColor=_SOFT),
        "cell": ParagraphStyle("cell", parent=body, fontSize=points * 0.9, leading=points * 1.25),
        "head": ParagraphStyle("head", parent=body, fontName=_BOLD, fontSize=points * 0.9, leading=points * 1.25),
        "title": ParagraphStyle("title", parent=body, fontName=_BOLD, fontSize=points * 2, leading=points * 2.5),
        "heading": ParagraphStyle(
            "heading", parent=body, fontName=_BOLD, fontSize=points * 1.3, leading=points * 1.7, spaceBefore=points
        ),
    }


def _paragraph(words: str, style: ParagraphStyle) -> Paragraph:
    """Return a paragraph; what a person typed is text, never markup."""
    return Paragraph(escape(words).replace("\n", "<br/>"), style)


def _table(grid: Grid, styles: dict[str, ParagraphStyle]) -> Table:
    if any(len(row) != len(grid.head) for row in grid.rows):
        raise ValueError("every row of a table has as many cells as its head")
    shares = grid.widths or (1.0,) * len(grid.head)
    room = A4[0] - 2 * _MARGIN
    cells = [[_paragraph(words, styles["head"]) for words in grid.head]]
    cells += [[_paragraph(words, styles["cell"]) for words in row] for row in grid.rows]
    table = Table(cells, colWidths=[room * share / sum(shares) for share in shares], repeatRows=1, hAlign="LEFT")
    rules = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
    ]
    table.setStyle(TableStyle(rules))
    return table


def _flow(blocks: Iterable[Block], styles: dict[str, ParagraphStyle]) -> list[Any]:
    found: list[Any] = []
    for block in blocks:
        match block:
            case Text(words):
                found.append(_paragraph(words, styles["body"]))
            case Bullets(points):
                items = [_paragraph(point, styles["body"]) for point in points]
                found.append(
                    ListFlowable(items, bulletType="bullet", start="•", leftIndent=12, bulletFontName=_REGULAR)
                )
            case Grid():
                found.append(_table(block, styles))
        found.append(Spacer(1, 2 * mm))
    return found


def render_pdf(document: Document, *, operator: Operator) -> bytes:
    """Return a document as PDF, with the operator's name and addresses on every page.

    Args:
        document: what it says.
        operator: who says it.

    Raises:
        ValueError: a table's row does not fit its head.
    """
    _register_fonts()
    styles = _styles(document.type_points)
    story: list[Any] = [_paragraph(document.title, styles["title"]), Spacer(1, 3 * mm)]
    story += [_paragraph(line, styles["soft"]) for line in document.lead]
    for part in document.parts:
        story += [_paragraph(part.heading, styles["heading"]), Spacer(1, 1.5 * mm), *_flow(part.blocks, styles)]

    def foot(canvas: Any, page: Any) -> None:
        canvas.saveState()
        canvas.setFont(_REGULAR, 7.5)
        canvas.setFillColor(_SOFT)
        line = f"{operator.name}, {operator.postal_address} · {operator.privacy_email} · {operator.website}"
        canvas.drawString(_MARGIN, 12 * mm, line)
        canvas.drawRightString(A4[0] - _MARGIN, 12 * mm, f"{document.page_word} {page.page}")
        canvas.restoreState()

    out = io.BytesIO()
    template = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + 4 * mm,
        title=document.title,
        author=operator.name,
        lang=document.language,
        invariant=1,  # no time of making: the same content gives the same bytes
    )
    template.build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()
