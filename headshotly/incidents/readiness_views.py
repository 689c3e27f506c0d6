"""Pages for being ready: who is on call, exercises, the plan."""

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access import members
from headshotly.access.views import member_of, needs_proof
from headshotly.incidents import calls, case_selectors, escalation, exercises, forms, oncall, phases, plan
from headshotly.incidents import scripts_folder as scripts
from headshotly.incidents.case_views import actor_of
from headshotly.incidents.containment import MEASURES
from headshotly.incidents.errors import Incomplete
from headshotly.incidents.escalation import Channel, Duty
from headshotly.incidents.phases import Severity
from headshotly.policy import clock, configuration
from headshotly.policy.permission import permission

_AHEAD = dt.timedelta(days=35)


@permission("staff:incidents.read")
@never_cache
@require_safe
def oncall_page(request: HttpRequest) -> HttpResponse:
    """Show who is on call now and in the next weeks, and how each is reached."""
    now, member = clock.now(), member_of(request)
    able = [one for one in members.everybody() if "incidents.write" in members.rights_of(one)]
    context = {
        "now": [(duty, case_selectors.handle_of(oncall.holder(duty, now))) for duty in Duty],
        "rota": [(one, case_selectors.handle_of(one.holder)) for one in oncall.rota(since=now, until=now + _AHEAD)],
        "duties": Duty.choices,
        "able": able,
        "channels": [(channel.label, channel in calls.channels()) for channel in Channel],
        "has_contact": oncall.has_contact(member.id),
        "on_call_able": member in able,
        "may_write": "incidents.write" in members.rights_of(member),
        "zone": configuration.current().operator.time_zone,
    }
    return render(request, "incidents/oncall.html", context)


@permission("staff:incidents.write")
@require_POST
@needs_proof
def oncall_step(request: HttpRequest) -> HttpResponse:
    """Put somebody on call, take a shift off, or record one's own mailbox."""
    actor = actor_of(request)
    match forms.text(request, "what"):
        case "assign":
            oncall.assign(
                actor=actor,
                duty=forms.choice(request, "duty", Duty),
                holder=forms.one_id(request, "holder"),
                begins_at=forms.moment(request, "begins_at"),
                ends_at=forms.moment(request, "ends_at"),
            )
        case "remove":
            oncall.remove(actor=actor, shift_id=forms.one_id(request, "shift"))
        case "contact":
            oncall.set_contact(member=member_of(request).id, email=forms.text(request, "email"))
            messages.success(request, "Saved, sealed under your own key.")
        case _:
            raise Incomplete("Please choose one of the steps.")
    return redirect("incidents:on-call")


@permission("staff:incidents.read")
@never_cache
@require_safe
def exercises_page(request: HttpRequest) -> HttpResponse:
    """Show when the next exercise is due, the scripts, and what came of the earlier ones."""
    context = {
        "due": exercises.due_at(),
        "is_due": exercises.is_due(),
        "scripts": scripts.scripts().values(),
        "history": [
            (one, scripts.scripts().get(one.script), case_selectors.handle_of(one.begun_by))
            for one in exercises.history()
        ],
        "may_write": "incidents.write" in members.rights_of(member_of(request)),
    }
    return render(request, "incidents/exercises.html", context)


@permission("staff:incidents.write")
@require_POST
@needs_proof
def exercise_begin(request: HttpRequest) -> HttpResponse:
    """Begin an exercise."""
    made = exercises.begin(
        actor=actor_of(request),
        script_id=forms.text(request, "script"),
        participants=forms.text(request, "participants"),
    )
    return redirect("incidents:exercise", exercise_id=made.id)


@permission("staff:incidents.read")
@never_cache
@require_safe
def exercise_page(request: HttpRequest, exercise_id: UUID) -> HttpResponse:
    """Show an exercise: what was played, and the piece at hand."""
    exercise = exercises.get(exercise_id)
    played = exercises.played(exercise)
    context = {
        "exercise": exercise,
        "script": scripts.script(exercise.script),
        "played": played,
        "piece": exercises.next_piece(exercise),
        "position": len(played),
        "may_write": "incidents.write" in members.rights_of(member_of(request)),
    }
    return render(request, "incidents/exercise.html", context)


@permission("staff:incidents.write")
@require_POST
@needs_proof
def exercise_step(request: HttpRequest, exercise_id: UUID) -> HttpResponse:
    """Note an answer, or end the exercise."""
    actor = actor_of(request)
    if forms.text(request, "what") == "end":
        exercises.end(actor=actor, exercise_id=exercise_id, findings=forms.text(request, "findings"))
    else:
        exercises.answer(
            actor=actor,
            exercise_id=exercise_id,
            position=forms.number(request, "position"),
            words=forms.text(request, "words"),
            met=forms.ticked(request, "met"),
        )
    return redirect("incidents:exercise", exercise_id=exercise_id)


@permission("staff:incidents.read")
@never_cache
@require_safe
def plan_page(request: HttpRequest) -> HttpResponse:
    """Show the incident response plan, made from its file and the tables in the code."""
    context = {
        "plan": plan.plan(),
        "limits": [(severity, phases.LIMITS[severity]) for severity in Severity],
        "ladders": [(severity, escalation.LADDERS[severity]) for severity in Severity],
        "measures": MEASURES.values(),
    }
    return render(request, "incidents/plan.html", context)
