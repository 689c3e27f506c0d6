"""Long lists in pages: a cursor names the last thing seen, so that pages neither repeat nor skip what comes in."""

import base64
import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from headshotly.policy.refusal import Refusal

LIMIT, LIMIT_MAX = 50, 100


class CursorUnusable(Refusal):
    """A cursor that none of our answers held."""

    code = "page.cursor"
    status = 422


def cursor_of(moment: dt.datetime, key: UUID) -> str:
    """Return the cursor after a thing."""
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {key.hex}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[dt.datetime, UUID]:
    try:
        said = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
        moment, _, key = said.partition(" ")
        at, last = dt.datetime.fromisoformat(moment), UUID(hex=key)
        return at.astimezone(dt.UTC), last
    except (ValueError, OverflowError, OSError):
        raise CursorUnusable("This cursor is none of ours. Please begin without one.") from None


def page[Row: Any](rows: "QuerySet[Row]", *, by: str, limit: int, cursor: str | None) -> tuple[list[Row], str | None]:
    """Return one page, newest first, and the cursor of the next one, None on the last.

    Args:
        rows: all of them.
        by: the column with their time; ties are broken by id.
        limit: how many on a page.
        cursor: from the page before.

    Raises:
        CursorUnusable: the cursor is none of ours.
    """
    if cursor:
        moment, key = _read(cursor)
        rows = rows.filter(Q(**{f"{by}__lt": moment}) | Q(**{by: moment, "id__lt": key}))
    found = list(rows.order_by(f"-{by}", "-id")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], cursor_of(getattr(last, by), last.id)
