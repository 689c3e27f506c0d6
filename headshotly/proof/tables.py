"""Tables for auditors: XLSX by openpyxl, CSV, and PDF on the house's paper."""

import csv
import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from headshotly.policy.documents import Document, Grid, Part, Text, render_pdf
from headshotly.policy.operator import Operator

type Rows = Sequence[tuple[str, ...]]

_HEAD_FILL = PatternFill("solid", fgColor="1F5D4C")
_WIDEST = 70
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t")


def _safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_BEGINS_A_FORMULA) else cell


def as_xlsx(title: str, lead: Sequence[str], head: tuple[str, ...], rows: Rows) -> bytes:
    """Return a table as a workbook with one sheet; every cell is text."""
    book = Workbook()
    sheet = book.create_sheet(title[:31], 0)
    del book["Sheet"]
    for words in (title, *lead):
        sheet.append([_safe(words)])
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.append([])
    sheet.append(list(head))
    first = sheet.max_row
    for cell in sheet[first]:
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), _HEAD_FILL
    for row in rows:
        sheet.append([_safe(cell) for cell in row])
    for number, name in enumerate(head, start=1):
        longest = max([len(name), *(len(row[number - 1]) for row in rows)])
        sheet.column_dimensions[get_column_letter(number)].width = min(_WIDEST, longest + 2)
        for line in range(first + 1, sheet.max_row + 1):
            sheet.cell(line, number).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = sheet.cell(first + 1, 1)
    sheet.auto_filter.ref = f"A{first}:{get_column_letter(len(head))}{sheet.max_row}"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_csv(head: tuple[str, ...], rows: Rows) -> str:
    """Return a table as CSV (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([[_safe(cell) for cell in row] for row in rows])
    return out.getvalue()


def as_pdf(
    title: str, lead: Sequence[str], head: tuple[str, ...], rows: Rows, *, widths: tuple[float, ...], operator: Operator
) -> bytes:
    """Return a table as PDF, a part for each value of its second column."""
    themes = list(dict.fromkeys(row[1] for row in rows))
    parts = tuple(
        Part(
            theme,
            (
                Grid(
                    (head[0], *head[2:]),
                    tuple((row[0], *row[2:]) for row in rows if row[1] == theme),
                    widths,
                ),
            ),
        )
        for theme in themes
    )
    parts = parts or (Part("Nothing", (Text("There is nothing to show."),)),)
    return render_pdf(Document(title=title, lead=tuple(lead), parts=parts, type_points=8), operator=operator)
