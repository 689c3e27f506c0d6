"""The staff console: grants, customers, people, reviews, machines. Never an editor over customers' data."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from headshotly.access import desk, disclosure, grants, machines, members, passkeys, personnel, reviews, services
from headshotly.access.errors import NotFound, PermissionMissing
from headshotly.access.models import Grant, Purpose, Role, Scope, StaffMember
from headshotly.access.rights import MACHINE_RIGHTS
from headshotly.access.views import member_of, needs_proof
from headshotly.accounts import services as accounts
from headshotly.audit.actor import Actor
from headshotly.audit.selectors import latest_head
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal


def _actor(member: StaffMember) -> Actor:
    return Actor(kind="staff", id=member.id, role=member.role)


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").strip()


class Unreadable(Refusal):
    """A number, date or id was not one."""

    code = "access.input"
    status = 422


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Unreadable("The customer's pseudonym is not one.") from None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise Unreadable("Please give a whole number.")
    return int(text[:9])


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Unreadable("Please give dates as 2026-12-31.") from None


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) if text else None
    except ValueError:
        raise Unreadable("Please give times as 2026-12-31T09:00, in UTC.") from None


@permission("staff")
@never_cache
@require_safe
def grants_page(request: HttpRequest) -> HttpResponse:
    """Show one's own grants, what waits for one's decision, and to those who may the whole history."""
    member = member_of(request)
    held = members.rights_of(member)
    context = {
        "own": desk.grants_of(member),
        "requests": desk.requests_for(member),
        "glass": desk.unreviewed_glass() if "glass.review" in held else [],
        "history": desk.history() if "grants.read" in held else [],
        "may_ask": "grants.ask" in held,
        "may_break": "glass.break" in held,
        "scopes": Scope.choices,
        "purposes": Purpose.choices,
        "subject": request.GET.get("subject", ""),
    }
    return render(request, "access/grants.html", context)


def _wanted(request: HttpRequest) -> dict[str, Any]:
    return {
        "scope": _text(request, "scope"),
        "subject": _uuid_or_none(_text(request, "subject")),
        "purpose": _text(request, "purpose"),
        "ticket": _text(request, "ticket"),
    }


@permission("staff:grants.ask")
@require_POST
@needs_proof
def grant_ask(request: HttpRequest) -> HttpResponse:
    """Ask for a grant."""
    grants.ask(
        member=member_of(request),
        **_wanted(request),
        minutes=_whole(_text(request, "minutes")),
        starts_at=_moment(_text(request, "starts_at")),
    )
    messages.success(request, "Asked. Somebody else decides.")
    return redirect("access:grants")


@permission("staff:glass.break")
@require_POST
@needs_proof
def glass_break(request: HttpRequest) -> HttpResponse:
    """Open without approval, loudly."""
    grants.break_glass(member=member_of(request), **_wanted(request), reason=_text(request, "reason"))
    messages.success(request, "Open for half an hour. The security officer and the DPO have been told.")
    return redirect("access:grants")


@permission("staff:grants.decide")
@require_POST
@needs_proof
def grant_decide(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Approve or refuse somebody else's request."""
    decide = grants.approve if _text(request, "decision") == "approve" else grants.refuse
    decide(decider=member_of(request), grant_id=grant_id)
    return redirect("access:grants")


@permission("staff")
@require_POST
def grant_end(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """End a grant at once: one's own, or as somebody who decides anybody's."""
    member = member_of(request)
    grant = Grant.objects.filter(id=grant_id).first()
    if grant is None or (grant.member_id != member.id and "grants.decide" not in members.rights_of(member)):
        raise NotFound("There is no such grant.")
    grants.end(actor=_actor(member), grant_id=grant_id, because=f"ended by {member.handle}")
    return redirect("access:grants")


@permission("staff:glass.review")
@require_POST
@needs_proof
def glass_review(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Record the review of a break-glass."""
    grants.review(reviewer=member_of(request), grant_id=grant_id, finding=_text(request, "finding"))
    return redirect("access:grants")


@permission("staff")
@never_cache
@require_safe
def grant_page(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Show one of one's own grants and what it would open; nothing is opened yet."""
    member = member_of(request)
    grant = Grant.objects.filter(id=grant_id, member=member).first()
    if grant is None:
        raise NotFound("There is no such grant.")
    found = next((state for one, state in desk.grants_of(member) if one.id == grant_id), "ended")
    context = {"grant": grant, "state": found, "objects": disclosure.openable(member=member, grant=grant)}
    return render(request, "access/grant.html", context)


@permission("staff")
@never_cache
@require_POST
@needs_proof
def grant_details(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Open name and address under a grant."""
    profile = disclosure.open_details(member=member_of(request), grant_id=grant_id)
    return render(request, "access/details.html", {"profile": profile, "grant_id": grant_id})


@permission("staff")
@never_cache
@require_POST
@needs_proof
def grant_object(request: HttpRequest, grant_id: UUID, object_id: UUID) -> HttpResponse:
    """Open one picture under a grant."""
    data = disclosure.open_object(member=member_of(request), grant_id=grant_id, object_id=object_id)
    answer = HttpResponse(data, content_type="image/png" if data[:4] == b"\x89PNG" else "image/jpeg")
    answer["Cache-Control"] = "private, no-store"
    answer["Content-Disposition"] = "inline"
    return answer


@permission("staff:customers.find")
@never_cache
@require_http_methods(["GET", "POST"])
def customers(request: HttpRequest) -> HttpResponse:
    """Find the customer who wrote in."""
    if request.method == "POST":
        subject = disclosure.find(member=member_of(request), email=request.POST.get("email", ""))
        return redirect("access:customer", subject=subject)
    return render(request, "access/customers.html")


@permission("staff:customers.find")
@never_cache
@require_safe
def customer(request: HttpRequest, subject: UUID) -> HttpResponse:
    """Show a customer, masked."""
    may_end = "sessions.end" in members.rights_of(member_of(request))
    context = {"customer": disclosure.masked(subject), "may_end_sessions": may_end}
    return render(request, "access/customer.html", context)


@permission("staff:sessions.end")
@require_POST
@needs_proof
def customer_sessions_end(request: HttpRequest, subject: UUID) -> HttpResponse:
    """Sign a customer out everywhere: somebody else may be in the account."""
    disclosure.masked(subject)
    ended = accounts.end_all_sessions(actor=_actor(member_of(request)), subject=subject)
    messages.success(request, f"{ended} session{'' if ended == 1 else 's'} ended.")
    return redirect("access:customer", subject=subject)


@permission("staff:people.read")
@never_cache
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Show every member with their record."""
    rows = [(one, personnel.record_of(one), personnel.gaps(one), len(passkeys.of(one))) for one in members.everybody()]
    may_write = "people.write" in members.rights_of(member_of(request))
    return render(request, "access/people.html", {"rows": rows, "roles": Role.choices, "may_write": may_write})


@permission("staff:people.write")
@never_cache
@require_POST
@needs_proof
def people_add(request: HttpRequest) -> HttpResponse:
    """Create a member and show their enrolment link once."""
    link = services.create_staff(
        actor=_actor(member_of(request)), handle=_text(request, "handle"), role=_text(request, "role")
    )
    return render(request, "access/link.html", {"link": link})


@permission("staff:people.write")
@never_cache
@require_POST
@needs_proof
def person_change(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Record a check, reset the second factor, or close the account of another member."""
    actor, member = _actor(member_of(request)), members.by_id(member_id)
    match _text(request, "what"):
        case "screening":
            personnel.record_screening(
                actor=actor,
                member=member,
                passed_on=_date(_text(request, "passed_on")),
                expires_on=_date(_text(request, "expires_on")),
                provider=_text(request, "provider"),
                report_sha256=_text(request, "report_sha256").lower(),
            )
        case "again":
            return render(request, "access/link.html", {"link": services.enrol_again(actor=actor, member=member)})
        case "close":
            services.close(actor=actor, member=member)
        case _:
            raise PermissionMissing("There is no such change.")
    return redirect("access:people")


@permission("staff")
@never_cache
@require_http_methods(["GET", "POST"])
@needs_proof
def agreement(request: HttpRequest) -> HttpResponse:
    """Read and sign the confidentiality agreement."""
    member = member_of(request)
    if request.method == "POST":
        personnel.sign_agreement(member=member, sha256=_text(request, "sha256"))
        messages.success(request, "Signed.")
        return redirect("access:desk")
    record = personnel.record_of(member)
    return render(request, "access/agreement.html", {"agreement": personnel.agreement(), "record": record})


@permission("staff:rights.review")
@never_cache
@require_http_methods(["GET", "POST"])
@needs_proof
def access_review(request: HttpRequest) -> HttpResponse:
    """Review everybody's rights: unused ones go unless kept for a reason."""
    if request.method == "POST":
        kept = {key.removeprefix("keep:"): text for key, text in request.POST.items() if key.startswith("keep:")}
        reviews.record(reviewer=member_of(request), kept={key: str(text) for key, text in kept.items()})
        return redirect("access:review")
    context = {
        "unused": reviews.unused(),
        "withheld": reviews.withheld(),
        "due": reviews.due_at(),
        "history": reviews.history(),
    }
    return render(request, "access/review.html", context)


@permission("staff:rights.review")
@never_cache
@require_POST
@needs_proof
def right_give_back(request: HttpRequest) -> HttpResponse:
    """Give a right back that a review took."""
    reviews.give_back(giver=member_of(request), key=_text(request, "key"), reason=_text(request, "reason"))
    messages.success(request, "Given back.")
    return redirect("access:review")


@permission("staff:machines.read")
@never_cache
@require_safe
def machines_page(request: HttpRequest) -> HttpResponse:
    """Show service accounts and tokens with their last use."""
    tokens = [(one, bytes(one.token_sha256).hex()) for one in machines.tokens()]
    context = {
        "accounts": machines.accounts(),
        "tokens": tokens,
        "rights": sorted(MACHINE_RIGHTS),
        "may_write": "machines.write" in members.rights_of(member_of(request)),
    }
    return render(request, "access/machines.html", context)


@permission("staff:machines.write")
@never_cache
@require_POST
@needs_proof
def machine_add(request: HttpRequest) -> HttpResponse:
    """Make a service account."""
    machines.create(member=member_of(request), name=_text(request, "name"))
    return redirect("access:machines")


@permission("staff:machines.write")
@never_cache
@require_POST
@needs_proof
def token_issue(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Issue a token and show it once."""
    token = machines.issue(
        member=member_of(request),
        account_id=account_id,
        rights=request.POST.getlist("rights"),
        days=_whole(_text(request, "days")),
    )
    return render(request, "access/token.html", {"token": token})


@permission("staff:machines.write")
@require_POST
@needs_proof
def token_revoke(request: HttpRequest) -> HttpResponse:
    """Revoke a token."""
    try:
        name = bytes.fromhex(_text(request, "token"))
    except ValueError:
        raise NotFound("There is no such token.") from None
    machines.revoke(member=member_of(request), token_sha256=name)
    return redirect("access:machines")


@permission("service:self.read")
@never_cache
@require_safe
def whoami(request: HttpRequest) -> JsonResponse:
    """Tell a program which service account its token belongs to."""
    account = getattr(request, "service_account")  # noqa: B009 - set by the gate
    return JsonResponse({"service_account": account.name})


@permission("service:journal.read")
@never_cache
@require_safe
def journal_head(_request: HttpRequest) -> JsonResponse:
    """Give a program the newest signed head of the journal, to witness it."""
    return JsonResponse({"checkpoint": latest_head() or ""})
