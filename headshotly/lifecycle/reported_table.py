"""Reading a tester's findings from CSV: one a line, with a header; pure.

Columns: ``id``, ``title``, ``severity`` or ``cvss`` (a vector), and optionally ``place``, ``description``, ``cwe``.
"""

import csv
import io

from headshotly.lifecycle import severity
from headshotly.lifecycle.bounded import LARGEST_DOCUMENT, LONGEST_LINE, MOST_RESULTS, clean
from headshotly.lifecycle.errors import DocumentRefused, VectorRefused
from headshotly.lifecycle.sarif import without_query
from headshotly.lifecycle.severity import Grade
from headshotly.lifecycle.sightings import Run, Sighting, fingerprint
from headshotly.lifecycle.states import Grading, Method

COLUMNS = frozenset({"id", "title", "severity", "cvss", "place", "description", "cwe"})


def read(raw: bytes, *, tester: str) -> Run:
    """Return what a table of findings says, as one run of the tester.

    Args:
        raw: the file, UTF-8, comma or semicolon between columns.
        tester: who tested; part of each fingerprint, for two testers may number alike.

    Raises:
        DocumentRefused: it is no such table, too large, or a line lacks what it needs.
    """
    if len(raw) > LARGEST_DOCUMENT:
        raise DocumentRefused(f"The table is larger than {LARGEST_DOCUMENT >> 20} MiB.")
    try:
        said = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentRefused("The table is not in UTF-8.") from error
    first = said.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        reader = csv.DictReader(io.StringIO(said, newline=""), delimiter=delimiter, strict=True)
        names = [clean(one).casefold() for one in reader.fieldnames or ()]
        reader.fieldnames = names
        if not {"id", "title"} <= set(names) or not {"severity", "cvss"} & set(names) or set(names) - COLUMNS:
            raise DocumentRefused(
                "The table needs the columns id, title and severity or cvss, and may have place, description and cwe."
            )
        found = [_line(number, row, tester) for number, row in enumerate(reader, 2)]
    except csv.Error as error:
        raise DocumentRefused("The table is no CSV.") from error
    if not 0 < len(found) <= MOST_RESULTS:
        raise DocumentRefused(f"The table holds {len(found)} findings; we read 1 to {MOST_RESULTS}.")
    if len({one.fingerprint for one in found}) != len(found):
        raise DocumentRefused("Two lines of the table have the same id.")
    return Run(
        tool=tester,
        version="",
        scope="",
        method=Method.PENETRATION,
        commit="",
        ran_at=None,
        succeeded=True,
        suppressed=0,
        sightings=tuple(found),
    )


def _line(number: int, row: dict[str, str | list[str] | None], tester: str) -> Sighting:
    said = {name: value.strip() for name, value in row.items() if isinstance(value, str)}
    if None in row or not (said.get("id") and said.get("title")):
        raise DocumentRefused(f"Line {number} of the table needs an id and a title, and no more cells than columns.")
    return Sighting(
        fingerprint=fingerprint("tester", tester, said["id"]),
        rule=clean(said["id"], longest=LONGEST_LINE),
        title=clean(said["title"], longest=160),
        words=clean(said.get("description", "")),
        place=without_query(clean(said.get("place", ""), longest=LONGEST_LINE)),
        grade=_grade(number, said),
        weaknesses=tuple(int(one) for one in (said.get("cwe", "").upper().removeprefix("CWE-"),) if one.isdigit())[:1],
    )


def _grade(number: int, said: dict[str, str]) -> Grade:
    vector, word = said.get("cvss", ""), said.get("severity", "")
    try:
        grade = severity.of_vector(vector) if vector else severity.of_level(word)
    except VectorRefused as refusal:
        raise DocumentRefused(f"Line {number} of the table: {refusal.sentence}") from refusal
    if grade.grading is Grading.DEFAULT:
        raise DocumentRefused(f"Line {number} of the table needs a severity: critical, high, medium, low or info.")
    return grade
