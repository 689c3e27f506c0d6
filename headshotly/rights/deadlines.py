"""The last days of one request: the clocks of the law it relies on, or the earlier of both."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from headshotly.policy.enforcement import enforces
from headshotly.rights import clocks
from headshotly.rights.states import Kind, Regime

PACIFIC = ZoneInfo("America/Los_Angeles")
AT_ONCE = frozenset({Kind.OPT_OUT, Kind.LIMIT})


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Last days, each inclusive.

    Attributes:
        confirm_by: receipt confirmed.
        answer_by: answered, or the extension told.
        longest: answered after an extension.
    """

    confirm_by: dt.date
    answer_by: dt.date
    longest: dt.date


@enforces("1.2.c")
def deadlines_of(kind: Kind, regime: Regime, received_at: dt.datetime, *, operator_zone: str) -> Deadlines:
    """Return the deadlines of a request.

    Args:
        kind: which right.
        regime: which law; ``EITHER`` takes the earlier day of both for everything.
        received_at: aware; the day of receipt is the operator's for Europe and the Pacific one for California.
        operator_zone: IANA name.
    """
    europe = clocks.gdpr_request(received_at.astimezone(ZoneInfo(operator_zone)).date())
    pacific = received_at.astimezone(PACIFIC).date()
    california = clocks.california_request(pacific)
    of_gdpr = Deadlines(europe.answer_by, europe.answer_by, europe.extended_by)
    of_california = Deadlines(california.confirm_by, california.answer_by, california.longest)
    if kind in AT_ONCE:
        # An opt-out knows no extension (11 CCR 7026(f), 7027(g)).
        last = clocks.california_opt_out(pacific)
        of_california = Deadlines(min(last, california.confirm_by), last, last)
    match regime:
        case Regime.GDPR:
            return of_gdpr
        case Regime.CALIFORNIA:
            return of_california
        case _:
            return Deadlines(
                min(of_gdpr.confirm_by, of_california.confirm_by),
                min(of_gdpr.answer_by, of_california.answer_by),
                min(of_gdpr.longest, of_california.longest),
            )
