"""The notices and the contact page; all of them come from the declarations and the operator's facts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission
from headshotly.purposes import notices
from headshotly.purposes.declarations import limits


@permission("public")
@enforces("1.2.e")
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Show the whole privacy notice."""
    notice = notices.privacy_notice(configuration.current().operator)
    context = {"notice": notice, "california_authority": notices.CALIFORNIA_AUTHORITY}
    return render(request, "purposes/privacy.html", context)


@permission("public")
@require_safe
def privacy_json(_request: HttpRequest) -> HttpResponse:
    """Give the notice to programs."""
    return HttpResponse(notices.as_json(configuration.current().operator), content_type="application/json")


@permission("public")
@enforces("1.2.e")
@require_safe
def collection(request: HttpRequest) -> HttpResponse:
    """Show the notice at collection: what, why, how long, on one page, before anything is collected."""
    notice = notices.privacy_notice(configuration.current().operator)
    return render(request, "purposes/collection.html", {"notice": notice, "limits": list(limits().values())})


@permission("public")
@enforces("12")
@require_safe
def contact(request: HttpRequest) -> HttpResponse:
    """Say how to reach the operator, and the ways for questions of privacy and of security."""
    return render(request, "purposes/contact.html")
