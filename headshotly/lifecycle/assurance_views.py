"""Penetration tests, trainings and releases in the staff console."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access import members
from headshotly.access.models import StaffMember
from headshotly.access.views import member_of, needs_proof
from headshotly.access.warrants import penetration_warrant
from headshotly.lifecycle import penetration, releases, selectors, training
from headshotly.lifecycle.errors import Incomplete, NotFound
from headshotly.lifecycle.models import PenetrationTest
from headshotly.lifecycle.views import actor_of, day, typed, uploaded
from headshotly.policy import dates
from headshotly.policy.permission import permission


@permission("staff:findings.read")
@never_cache
@require_safe
def tests(request: HttpRequest) -> HttpResponse:
    """Show when the next penetration test is due, what is planned, and what was held."""
    due, today = penetration.due_on(), dates.today()
    context = {
        "tests": selectors.tests(),
        "due": due,
        "late": due is not None and due < today,
        "left": None if due is None else (due - today).days,
        "next": penetration.next_plan(),
        "may_write": "penetration.write" in members.rights_of(member_of(request)),
    }
    return render(request, "lifecycle/tests.html", context)


@permission("staff:penetration.write")
@require_POST
@needs_proof
def test_plan(request: HttpRequest) -> HttpResponse:
    """Plan a test."""
    penetration.plan(
        actor=actor_of(request),
        tester=typed(request, "tester"),
        scope=typed(request, "scope"),
        planned_on=day(request, "planned_on"),
    )
    messages.success(request, "Planned.")
    return redirect("lifecycle:tests")


@permission("staff:penetration.write")
@require_POST
@needs_proof
def test_step(request: HttpRequest, test_id: UUID) -> HttpResponse:
    """Cancel a plan, or take the report in."""
    match typed(request, "what"):
        case "cancel":
            penetration.cancel(actor=actor_of(request), test_id=test_id)
        case "report":
            penetration.take_report(
                actor=actor_of(request),
                test_id=test_id,
                began_on=day(request, "began_on"),
                ended_on=day(request, "ended_on"),
                report=uploaded(request, "report"),
                findings=uploaded(request, "findings", needed=False),
            )
        case _:
            raise Incomplete("Please choose one of the steps.")
    messages.success(request, "Done.")
    return redirect("lifecycle:tests")


@permission("staff:penetration.write")
@never_cache
@require_POST
@needs_proof
def test_report(request: HttpRequest, test_id: UUID) -> HttpResponse:
    """Give the report; it is saved, never shown."""
    found = PenetrationTest.objects.filter(id=test_id).first()
    if found is None or found.report_key is None:
        raise NotFound("This test has no report yet.")
    warrant = penetration_warrant(member=member_of(request), report_key=found.report_key, test=found.id)
    test, report = penetration.read_report(actor=actor_of(request), test_id=test_id, warrant=warrant)
    answer = HttpResponse(report, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="penetration-test-{test.ended_on}.bin"'
    return answer


@permission("staff:people.read")
@never_cache
@require_safe
def trainings(request: HttpRequest) -> HttpResponse:
    """Show who is trained in what, until when."""
    member = member_of(request)
    context = {
        "standings": training.standings(),
        "others": [one for one in members.everybody() if one.id != member.id],
        "may_write": "people.write" in members.rights_of(member),
    }
    return render(request, "lifecycle/trainings.html", context)


def _chosen(request: HttpRequest, name: str) -> StaffMember:
    found = next((one for one in members.everybody() if str(one.id) == typed(request, name)), None)
    if found is None:
        raise Incomplete("Please choose one of the list.")
    return found


@permission("staff:people.write")
@require_POST
@needs_proof
def training_record(request: HttpRequest) -> HttpResponse:
    """Record a course somebody passed."""
    training.record(
        actor=actor_of(request),
        member=_chosen(request, "member"),
        course=typed(request, "course"),
        provider=typed(request, "provider"),
        passed_on=day(request, "passed_on"),
        expires_on=day(request, "expires_on"),
        certificate_sha256=typed(request, "certificate"),
    )
    messages.success(request, "Recorded.")
    return redirect("lifecycle:trainings")


@permission("staff:findings.read")
@never_cache
@require_safe
def release_list(request: HttpRequest) -> HttpResponse:
    """Show each release: who wrote and reviewed it, which gates ran on it, whether it went out."""
    member = member_of(request)
    held = members.rights_of(member)
    context = {
        "rows": [
            (one, sorted(one.gates.items()), releases.missing_gates(one.gates), one.author_id == member.id)
            for one in selectors.releases()
        ],
        "members": members.everybody(),
        "may_write": "releases.write" in held,
        "may_review": "releases.review" in held,
    }
    return render(request, "lifecycle/releases.html", context)


@permission("staff:releases.write")
@require_POST
@needs_proof
def release_record(request: HttpRequest) -> HttpResponse:
    """Enter a commit that is to be released."""
    made = releases.record(
        actor=actor_of(request),
        version=typed(request, "version"),
        author_id=_chosen(request, "author").id,
        gates=uploaded(request, "gates"),
    )
    messages.success(request, f"{made.version} waits for its review.")
    return redirect("lifecycle:releases")


@permission("staff:releases.review")
@require_POST
@needs_proof
def release_review(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Record one's own review."""
    releases.review(actor=actor_of(request), release_id=release_id, words=typed(request, "words"))
    messages.success(request, "Your review is recorded.")
    return redirect("lifecycle:releases")


@permission("staff:releases.write")
@require_POST
@needs_proof
def release_out(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Let a reviewed release go out."""
    releases.release(actor=actor_of(request), release_id=release_id)
    messages.success(request, "It may go out.")
    return redirect("lifecycle:releases")
