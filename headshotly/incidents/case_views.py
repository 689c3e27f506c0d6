"""Pages of the cases: what waits with its clock, one case with everything that can be done in it, the buttons."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access import members
from headshotly.access.views import member_of, needs_proof
from headshotly.access.warrants import case_warrant
from headshotly.audit.actor import Actor
from headshotly.incidents import (
    breach_selectors,
    calls,
    case_selectors,
    cases,
    containment,
    evidence,
    forms,
    oncall,
    phases,
    selectors,
    timeline,
)
from headshotly.incidents.containment import MEASURES
from headshotly.incidents.errors import Incomplete, NotFound
from headshotly.incidents.models import Breach, Case
from headshotly.incidents.phases import NEXT, ORDER, QUESTIONS, Origin, Outcome, Phase, Severity
from headshotly.policy import clock, configuration
from headshotly.policy.permission import permission


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks, as the journal names them."""
    member = member_of(request)
    return Actor(kind="staff", id=member.id, role=member.role)


@permission("staff:incidents.read")
@never_cache
@require_safe
def cases_page(request: HttpRequest) -> HttpResponse:
    """Show the open cases with their clocks, what is contained, and the form to open one by hand."""
    held = members.rights_of(member_of(request))
    lines = case_selectors.open_lines()
    context = {
        "lines": lines,
        "late": sum(line.late for line in lines),
        "untaken": sum(line.case.acknowledged_at is None for line in lines),
        "closed": case_selectors.closed_cases(limit=20),
        "in_force": [(row, MEASURES[row.measure]) for row in containment.in_force()],
        "uncovered": oncall.uncovered(at=clock.now()),
        "severities": Severity.choices,
        "origins": [(one.value, one.label) for one in (Origin.HAND, Origin.REPORT)],
        "may_write": "incidents.write" in held,
        "may_contain": "incidents.contain" in held,
    }
    return render(request, "incidents/cases.html", context)


@permission("staff:incidents.write")
@require_POST
@needs_proof
def case_open(request: HttpRequest) -> HttpResponse:
    """Open a case by hand."""
    origin = forms.choice(request, "origin", Origin)
    if origin not in {Origin.HAND, Origin.REPORT}:
        raise Incomplete("Please choose from the list.")
    case = cases.open_case(
        actor=actor_of(request),
        title=forms.text(request, "title"),
        words=forms.text(request, "words"),
        severity=forms.choice(request, "severity", Severity),
        origin=origin,
        happened_at=forms.moment_or_none(request, "happened_at"),
    )
    return redirect("incidents:case", number=case.number)


@permission("staff:incidents.write")
@require_POST
@needs_proof
def alert_case(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Make a case of an alert that did not open one by itself."""
    alert = selectors.alert(alert_id)
    if alert is None:
        raise NotFound("There is no such alert.")
    case = cases.attach(actor=actor_of(request), alert=alert, severity=Severity.LOW)
    return redirect("incidents:case", number=case.number)


def _way(case: Case) -> list[tuple[Phase, str]]:
    """Return the phases with how each stands for a case: done, now or ahead."""
    here = ORDER.index(Phase(case.phase))
    return [
        (phase, "now" if number == here else "done" if number < here else "ahead")
        for number, phase in enumerate(ORDER)
        if phase is not Phase.CLOSED
    ]


@permission("staff:incidents.read")
@never_cache
@require_safe
def case_page(request: HttpRequest, number: int) -> HttpResponse:
    """Show one case: clock, phase, timeline, evidence, containment, calls, breach."""
    case, member = cases.get(number), member_of(request)
    held, phase = members.rights_of(member), Phase(cases.get(number).phase)
    facts = cases.facts_of(case)
    steps = [(to, phases.missing(facts, to, words=QUESTIONS[phase])) for to in ORDER if to in NEXT[phase]]
    breach = Breach.objects.filter(case=case).first()
    context = {
        "line": case_selectors.line_of(case),
        "case": case,
        "way": _way(case),
        "steps": steps,
        "question": QUESTIONS.get(phase, ""),
        "timeline": [(row, case_selectors.handle_of(row.recorded_by)) for row in timeline.of(case)],
        "altered": set(timeline.altered(case)),
        "alerts": case_selectors.alerts_of(case),
        "evidence": evidence.of(number),
        "contained": [(row, MEASURES[row.measure]) for row in containment.of(number)],
        "measures": MEASURES.values(),
        "calls": calls.of(case),
        "grants": case_selectors.grants_of(case),
        "breach": breach,
        "owed": breach_selectors.obligations_of(breach) if breach else [],
        "members": [one for one in members.everybody() if "incidents.write" in members.rights_of(one)],
        "severities": Severity.choices,
        "limits": phases.LIMITS[Severity(case.severity)],
        "live": phase is not Phase.CLOSED,
        "early": phase in {Phase.DETECTION, Phase.CONTAINMENT},
        "mine": case.owner == member.id,
        "may_write": "incidents.write" in held,
        "may_contain": "incidents.contain" in held,
        "may_breach": "breaches.write" in held,
        "zone": configuration.current().operator.time_zone,
    }
    return render(request, "incidents/case.html", context)


@permission("staff:incidents.write")
@require_POST
@needs_proof
def case_step(request: HttpRequest, number: int) -> HttpResponse:
    """Take one step with a case."""
    actor, words = actor_of(request), forms.text(request, "words")
    match forms.text(request, "what"):
        case "take":
            cases.take(actor=actor, number=number)
        case "hand-over":
            cases.hand_over(actor=actor, number=number, to=forms.one_id(request, "to"))
        case "rate":
            severity = forms.choice(request, "severity", Severity)
            cases.rate(actor=actor, number=number, severity=severity, because=words)
        case "note":
            happened = forms.moment_or_none(request, "happened_at")
            cases.note(actor=actor, number=number, words=words, happened_at=happened)
        case "move":
            cases.move(actor=actor, number=number, to=forms.choice(request, "to", Phase), words=words)
        case "dismiss":
            outcome = forms.choice(request, "outcome", Outcome)
            cases.dismiss(actor=actor, number=number, outcome=outcome, because=words)
        case "personal-data":
            touched = forms.text(request, "touched") == "yes"
            cases.judge_personal_data(actor=actor, number=number, touched=touched, because=words)
        case "keep":
            cases.keep_in_force(actor=actor, number=number, because=words)
        case _:
            raise Incomplete("Please choose one of the steps.")
    return redirect("incidents:case", number=number)


@permission("staff:incidents.contain")
@require_POST
@needs_proof
def contain(request: HttpRequest, number: int) -> HttpResponse:
    """Stop something now."""
    measure = forms.text(request, "measure")
    row = containment.contain(
        actor=actor_of(request),
        number=number,
        measure_id=measure,
        target=forms.text(request, f"target-{measure}"),
        because=forms.text(request, "because"),
    )
    messages.success(request, f"{MEASURES[measure].label}: {row.result}.")
    return redirect("incidents:case", number=number)


@permission("staff:incidents.contain")
@require_POST
@needs_proof
def release(request: HttpRequest, containment_id: UUID) -> HttpResponse:
    """Undo a containment."""
    row = containment.release(
        actor=actor_of(request), containment_id=containment_id, because=forms.text(request, "because")
    )
    messages.success(request, f"Undone: {MEASURES[row.measure].label.lower()}.")
    return redirect("incidents:case", number=row.case_id) if row.case_id else redirect("incidents:cases")


@permission("staff:incidents.write")
@require_POST
@needs_proof
def evidence_add(request: HttpRequest, number: int) -> HttpResponse:
    """Keep a file, the case's alerts, or the journal about somebody as evidence."""
    actor = actor_of(request)
    match forms.text(request, "what"):
        case "alerts":
            evidence.add_alerts(actor=actor, number=number)
        case "journal":
            evidence.add_journal(actor=actor, number=number, subject=forms.one_id(request, "subject"))
        case "file":
            file = request.FILES.get("file")
            if file is None:
                raise Incomplete("Please choose a file.")
            title = forms.text(request, "title") or str(file.name)
            media_type = file.content_type or ""
            evidence.add(actor=actor, number=number, title=title, data=file.read(), media_type=media_type)
        case _:
            raise Incomplete("Please choose what to keep.")
    return redirect("incidents:case", number=number)


@permission("staff:incidents.write")
@never_cache
@require_POST
@needs_proof
def evidence_read(request: HttpRequest, number: int, evidence_id: UUID) -> HttpResponse:
    """Open a piece of evidence; it is compared with its hash first, and always given as a file."""
    case = cases.get(number)
    warrant = case_warrant(member=member_of(request), case_key=case.key, reference=case.reference)
    row, data = evidence.read(actor=actor_of(request), number=number, evidence_id=evidence_id, warrant=warrant)
    answer = HttpResponse(data, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="{case.reference}-{row.id}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer
