"""Telling the security officer and the DPO which clocks run out, in one mail an hour while any does."""

from zoneinfo import ZoneInfo

from headshotly.incidents import breach_selectors, case_selectors, oncall
from headshotly.incidents.obligations import Standing
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.vendors import mail


def urgent() -> list[str]:
    """Return a line for every clock that is over or near its end, the breach clocks first."""
    now = clock.now()
    zone = ZoneInfo(configuration.current().operator.time_zone)
    found = []
    for line in breach_selectors.lines():
        for one in line.obligations:
            if one.waits and one.latest is not None and one.latest - now < case_selectors.SOON:
                state = "OVERDUE since" if one.standing is Standing.LATE else "by"
                at = one.latest.astimezone(zone)
                found.append(f"{line.breach.case.reference}  {one.addressee.label}: {state} {at:%Y-%m-%d %H:%M %Z}")
    for case in case_selectors.open_lines():
        if case.due is not None and case.soon:
            state = "OVERDUE since" if case.late else "by"
            at = case.due.at.astimezone(zone)
            found.append(f"{case.case.reference}  {case.due.what}: {state} {at:%Y-%m-%d %H:%M %Z}")
    return found


def _subject(lines: list[str]) -> str:
    over = sum("OVERDUE" in line for line in lines)
    near = len(lines) - over
    parts = [f"{over} over" if over else "", f"{near} near the end" if near else ""]
    return f"Incident clocks: {', '.join(filter(None, parts))}"


@enforces("8.3.a", "5.3.b", "1.1.c")
def remind() -> int:
    """Mail what is urgent to both mailboxes; return how many clocks were named.

    Raises:
        MailNotSent: it was not handed over; the next run tries again.
    """
    lines = urgent()
    if not lines:
        return 0
    here = configuration.current()
    gaps = [duty.label for duty in oncall.uncovered(at=clock.now())]
    text = "\n".join(lines) + f"\n\n{here.public_url}/staff/incidents/"
    if gaps:
        text += f"\n\nNobody is on call for: {', '.join(gaps)}."
    for address in (here.operator.security_email, here.operator.privacy_email):
        mail.send(to=address, subject=_subject(lines), text=text, about=None)
    return len(lines)
