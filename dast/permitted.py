"""Which pages somebody may open, as the table says that the tests of the permissions keep (docs/permissions.md)."""

from dast.results import ScanFailed

_OPENS = "200"
_OF_AN_OBJECT = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"


def pages(table: str, *, who: str, below: str) -> frozenset[str]:
    """Return the addresses below a path that open to somebody and are about no single object.

    Args:
        table: the text of the document.
        who: name of a column, such as ``security-officer``.
        below: ``/staff/``.

    Raises:
        ScanFailed: there is no such column, or it opens nothing there.
    """
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines() if "|" in line]
    if not rows or who not in rows[0]:
        raise ScanFailed(f"The table of permissions has no column “{who}”.")
    column = rows[0].index(who)
    found = {row[0].strip("`") for row in rows[1:] if len(row) > column and row[column] == _OPENS}
    opens = frozenset(page for page in found if page.startswith(below) and _OF_AN_OBJECT not in page)
    if not opens:
        raise ScanFailed(f"The table of permissions opens nothing below {below} to “{who}”.")
    return opens
