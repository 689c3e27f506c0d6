"""Telling people that a finding is past its limit: in the journal, which rules read, and by letter (clause 4.3.b)."""

import datetime as dt

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.lifecycle import selectors
from headshotly.lifecycle.models import Finding, Step
from headshotly.lifecycle.services import is_overdue
from headshotly.lifecycle.states import StepKind
from headshotly.policy import clock, configuration, dates
from headshotly.policy.enforcement import enforces
from headshotly.vendors import mail

AGAIN_AFTER = dt.timedelta(days=7)


@enforces("4.3.b")
def alert() -> int:
    """Journal each finding that is past its limit, at once and then every week, and name them in a letter as often.

    The journal comes first, which a rule raises the alert from; a letter that did not go is written again by the next
    run. A crash between sending and marking writes it twice, never not at all.

    Returns:
        How many were journalled now.

    Raises:
        MailNotSent: the letter did not go.
    """
    late = selectors.overdue()
    told = sum(_tell(one) for one in late)
    again = dates.today() - AGAIN_AFTER
    unwritten = [one for one in late if one.written_on is None or one.written_on <= again]
    if unwritten:
        _write(unwritten)
        Finding.objects.filter(id__in=[one.id for one in unwritten]).update(written_on=dates.today())
    return told


def _write(late: list[Finding]) -> None:
    lines = [
        f"- {one.reference} ({one.get_severity_display().lower()}), due {one.due_on}, "
        f"{one.owner.handle if one.owner else 'nobody'}: {one.title}"
        for one in late
    ]
    mail.send(
        to=configuration.current().operator.security_email,
        subject="Findings past their limit",
        text="These should be fixed by now, or accepted by somebody else for a reason.\n\n" + "\n".join(lines),
        about=None,
    )


def _tell(seen: Finding) -> bool:
    """Journal one finding where it was not done this week; the mark and the entry are one transaction."""
    today = dates.today()
    with transaction.atomic():
        finding = Finding.objects.select_for_update().get(id=seen.id)
        recently = finding.alerted_on is not None and finding.alerted_on > today - AGAIN_AFTER
        if recently or not is_overdue(finding, today):
            return False
        first = finding.alerted_on is None
        finding.alerted_on = today
        finding.save(update_fields=["alerted_on"])
        if first:
            Step.objects.create(finding=finding, kind=StepKind.OVERDUE, at=clock.now(), words=f"due {finding.due_on}")
        audit.record(actor=SYSTEM, act=Act.FINDING_OVERDUE, purpose=f"{finding.reference} {finding.severity}")
    return True
