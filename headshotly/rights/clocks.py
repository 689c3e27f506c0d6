"""The clocks of requests by data subjects: pure functions from the day of receipt to the last allowed day.

Lengths are the law's, cited at each constant. Californian deadlines never roll forward.
"""

import datetime as dt
from dataclasses import dataclass

from headshotly.policy.calendars import add_business_days, add_months, roll_forward
from headshotly.policy.enforcement import enforces

GDPR_MONTHS = 1  # GDPR Art. 12(3)
GDPR_EXTENSION_MONTHS = 2  # GDPR Art. 12(3)
CALIFORNIA_CONFIRM_BUSINESS_DAYS = 10  # 11 CCR 7021(a)
CALIFORNIA_ANSWER_DAYS = 45  # 11 CCR 7021(b)
CALIFORNIA_LONGEST_DAYS = 90  # 11 CCR 7021(b)
CALIFORNIA_OPT_OUT_BUSINESS_DAYS = 15  # 11 CCR 7026(f), 7027(g)
CALIFORNIA_ASK_AGAIN_MONTHS = 12  # 11 CCR 7026(k)
RECORD_MONTHS = 24  # 11 CCR 7101
DPO_CHANGE_DAYS = 14  # Polish data-protection act, art. 10


@dataclass(frozen=True, slots=True)
class GdprDeadlines:
    """Last days for an answer under GDPR Art. 12(3).

    Attributes:
        answer_by: without an extension; the extension itself must be told by then.
        extended_by: with the extension, counted from receipt.
    """

    answer_by: dt.date
    extended_by: dt.date


@dataclass(frozen=True, slots=True)
class CaliforniaDeadlines:
    """Last days under 11 CCR 7021.

    Attributes:
        confirm_by: receipt confirmed.
        answer_by: answered; the day of receipt counts as day one, which is the safe reading.
        longest: answered after notice of an extension.
    """

    confirm_by: dt.date
    answer_by: dt.date
    longest: dt.date


@enforces("1.2.c")
def gdpr_request(received: dt.date) -> GdprDeadlines:
    """Return the deadlines of a request under the GDPR.

    Args:
        received: day of receipt in the operator's time zone.
    """
    return GdprDeadlines(
        answer_by=roll_forward(add_months(received, GDPR_MONTHS)),
        extended_by=roll_forward(add_months(received, GDPR_MONTHS + GDPR_EXTENSION_MONTHS)),
    )


@enforces("1.2.c")
def california_request(received: dt.date) -> CaliforniaDeadlines:
    """Return the deadlines of a request under the CCPA.

    Args:
        received: day of receipt in Pacific time.
    """
    return CaliforniaDeadlines(
        confirm_by=add_business_days(received, CALIFORNIA_CONFIRM_BUSINESS_DAYS),
        answer_by=received + dt.timedelta(days=CALIFORNIA_ANSWER_DAYS - 1),
        longest=received + dt.timedelta(days=CALIFORNIA_LONGEST_DAYS - 1),
    )


def california_opt_out(received: dt.date) -> dt.date:
    """Return the last day to act on an opt-out; the product acts at once."""
    return add_business_days(received, CALIFORNIA_OPT_OUT_BUSINESS_DAYS)


def may_ask_again_from(opted_out: dt.date) -> dt.date:
    """Return the first day on which somebody who opted out may be asked again."""
    return add_months(opted_out, CALIFORNIA_ASK_AGAIN_MONTHS)


def keep_record_until(received: dt.date) -> dt.date:
    """Return the day until which the record of a request is kept at least."""
    return add_months(received, RECORD_MONTHS)


def tell_authority_of_new_dpo_by(changed: dt.date) -> dt.date:
    """Return the last day to tell the Polish authority of a change of the Data Protection Officer."""
    return changed + dt.timedelta(days=DPO_CHANGE_DAYS)
