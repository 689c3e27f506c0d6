"""The console's page about the service: each objective, its budget, how fast it burns, and a picture of thirty days."""

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from headshotly.frontdoor import budgets
from headshotly.frontdoor.budgets import Counts, Standing
from headshotly.frontdoor.objectives import Objective
from headshotly.policy.permission import permission

WIDTH, HEIGHT, STEP, BAR = 300, 72, 10, 7
_FLOOR = 4.0  # the picture reaches down to four budgets below everything good


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the picture, in its own units.

    Attributes:
        x: left edge.
        y: upper edge.
        height: of the bar.
        kind: ``good``, ``bad`` or ``none``.
        words: what it says.
    """

    x: int
    y: float
    height: float
    kind: str
    words: str


def percent(share: float | None, digits: int = 2) -> str:
    """Return a share in percent, as it is shown; never rounded up to everything."""
    if share is None:
        return "no events"
    shown = 100 * share
    if shown < 100.0 <= round(shown, digits):  # noqa: PLR2004 - percent
        shown = 100.0 - 10.0**-digits
    return f"{shown:.{digits}f} %"


def bars(days: tuple[tuple[dt.date, Counts], ...], objective: Objective) -> list[Bar]:
    """Return the picture of a span of days: a bar as high as the share of good events stands above the floor."""
    drawn = []
    for number, (day, counts) in enumerate(days):
        share, x = counts.share, number * STEP
        if share is None:
            drawn.append(Bar(x, HEIGHT - 2, 2, "none", f"{day:%Y-%m-%d}: no events"))
            continue
        height = max(3.0, HEIGHT * (1.0 - min(1.0, (1.0 - share) / (_FLOOR * objective.budget))))
        kind = "good" if share >= objective.target else "bad"
        words = f"{day:%Y-%m-%d}: {percent(share, 3)} of {counts.total}"
        drawn.append(Bar(x, round(HEIGHT - height, 1), round(height, 1), kind, words))
    return drawn


def _rate(rate: float | None) -> str:
    return "no events" if rate is None else f"{rate:.1f}"


def _span(length: dt.timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 24 * 60 else f"{minutes // 1440} d"


def _shown(one: Standing) -> dict[str, object]:
    left = one.left
    return {
        "objective": one.objective,
        "share": percent(one.counts.share, 3),
        "target": percent(one.objective.target, 1),
        "counts": one.counts,
        "met": one.met,
        "left": None if left is None else round(100 * left),
        "meter": 0 if left is None else max(0, min(100, round(100 * left))),
        "burns": [
            {
                "windows": f"{_span(burn.alarm.long)} and {_span(burn.alarm.short)}",
                "long": _rate(burn.long),
                "short": _rate(burn.short),
                "limit": burn.alarm.rate,
                "severity": burn.alarm.severity,
                "fires": burn.fires,
            }
            for burn in one.burns
        ],
        "firing": one.firing,
        "bars": bars(one.days, one.objective),
        "line": round(HEIGHT * (1.0 / _FLOOR), 1),
        "days": [(day, counts, percent(counts.share, 3)) for day, counts in reversed(one.days) if counts.total],
    }


@permission("staff:service.read")
@never_cache
@require_safe
def objectives_page(request: HttpRequest) -> HttpResponse:
    """Show how the service stands against what it wants to be held to."""
    context = {"standings": [_shown(one) for one in budgets.standings()], "width": WIDTH, "height": HEIGHT, "bar": BAR}
    return render(request, "frontdoor/objectives.html", context)
