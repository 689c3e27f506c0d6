"""Reports of weaknesses in the staff console: what waits, what was written, acknowledging, closing."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access import members
from headshotly.access.views import member_of, needs_proof
from headshotly.access.warrants import report_warrant
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.permission import permission
from headshotly.proof import letters, reporting, waiting
from headshotly.proof.errors import Incomplete, NotFound
from headshotly.proof.models import Thanks, WeaknessReport
from headshotly.proof.reporting import Words
from headshotly.proof.weakness_states import Outcome, Severity, State
from headshotly.vault import services as vault

_LONGEST_REPLY = 10_000


def _actor(request: HttpRequest) -> Actor:
    member = member_of(request)
    return Actor(kind="staff", id=member.id, role=member.role)


def _typed(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").strip()


@permission("staff:weaknesses.read")
@never_cache
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Show what waits; nothing anybody wrote."""
    context = {
        "open": waiting.open_reports(),
        "closed": waiting.closed_reports(),
        "late": {one.id for one in (*waiting.unacknowledged(), *waiting.unfixed())},
        "hall": waiting.hall(),
        "now": clock.now(),
        "may_answer": "weaknesses.answer" in members.rights_of(member_of(request)),
    }
    return render(request, "proof/staff/weaknesses.html", context)


def _shown(request: HttpRequest, report: WeaknessReport, words: Words | None = None) -> HttpResponse:
    context = {
        "report": report,
        "words": words,
        "waits": report.state == State.RECEIVED,
        "closed": report.state == State.CLOSED,
        "late": report in waiting.unacknowledged() or report in waiting.unfixed(),
        "severities": Severity.choices,
        "outcomes": Outcome.choices,
        "thanked": Thanks.objects.filter(report=report),
        "may_answer": "weaknesses.answer" in members.rights_of(member_of(request)),
    }
    return render(request, "proof/staff/weakness.html", context)


@permission("staff:weaknesses.read")
@never_cache
@require_safe
def report_page(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Show where a report stands; what was written stays sealed until it is opened."""
    return _shown(request, reporting.report(report_id))


def _words(request: HttpRequest, report: WeaknessReport) -> Words:
    warrant = report_warrant(member=member_of(request), subject=report.subject, reference=report.reference)
    audit.record(actor=_actor(request), act=Act.WEAKNESS_READ, subject=report.subject, purpose=report.reference)
    return reporting.read_words(report=report, warrant=warrant)


@permission("staff:weaknesses.answer")
@never_cache
@require_POST
@needs_proof
def report_read(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Open what the reporter wrote."""
    report = reporting.report(report_id)
    return _shown(request, report, _words(request, report))


@permission("staff:weaknesses.answer")
@never_cache
@require_POST
@needs_proof
def report_mail(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Give the mail as it came, files and all; it is saved, never shown."""
    report = reporting.report(report_id)
    if report.original is None:
        raise NotFound("This report did not come by mail, or its mail is gone.")
    warrant = report_warrant(member=member_of(request), subject=report.subject, reference=report.reference)
    audit.record(actor=_actor(request), act=Act.WEAKNESS_READ, subject=report.subject, purpose=report.reference)
    answer = HttpResponse(
        vault.open(object_id=report.original, warrant=warrant), content_type="application/octet-stream"
    )
    answer["Content-Disposition"] = f'attachment; filename="{report.reference}.eml"'
    return answer


def _chosen[Choice: (Severity, Outcome)](choices: type[Choice], value: str) -> Choice:
    try:
        return choices(value)
    except ValueError:
        raise Incomplete("Please choose one of the list.") from None


@permission("staff:weaknesses.answer")
@require_POST
@needs_proof
def report_step(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Acknowledge or close a report, and write to whoever sent it."""
    report, reply = reporting.report(report_id), _typed(request, "reply")
    if len(reply) > _LONGEST_REPLY:
        raise Incomplete(f"Please answer in at most {_LONGEST_REPLY} characters.")
    words = _words(request, report)
    what = _typed(request, "what")
    match what:
        case "acknowledge":
            severity = _chosen(Severity, _typed(request, "severity"))
            if report.answerable and not reply and severity is not Severity.NONE:
                raise Incomplete("Please write to the reporter; that is the acknowledgement.")
            report = reporting.acknowledge(actor=_actor(request), report_id=report_id, severity=severity)
        case "close":
            report = reporting.close(
                actor=_actor(request),
                report_id=report_id,
                outcome=_chosen(Outcome, _typed(request, "outcome")),
                thank_as=words.thank_as if _typed(request, "thank") == "yes" else "",
                for_what=_typed(request, "for_what"),
            )
        case _:
            raise Incomplete("Please choose one of the steps.")
    if letters.answer(report, words, reply=reply, what=what):
        messages.success(request, "Done; the reporter was written to.")
    elif report.answerable and reply:
        messages.error(request, "Done, but the mail was not handed over. Please write to the reporter another way.")
    else:
        messages.success(request, "Done. Nobody was written to.")
    return redirect("weaknesses:report", report_id=report_id)


@permission("staff:weaknesses.answer")
@require_POST
@needs_proof
def thanks_withdraw(request: HttpRequest, thanks_id: UUID) -> HttpResponse:
    """Take somebody out of the hall of thanks."""
    reporting.withdraw_thanks(actor=_actor(request), thanks_id=thanks_id)
    return redirect("weaknesses:queue")
