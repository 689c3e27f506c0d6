"""What staff sees of a customer's work: states and reasons, never a picture."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission
from headshotly.studio import selectors


@permission("staff:customers.find")
@enforces("5.1.a")
@never_cache
@require_safe
def work(request: HttpRequest, subject: UUID) -> HttpResponse:
    """Show a customer's shoots, how each stands and why, without anything personal."""
    rows = [(shoot, selectors.progress(shoot)) for shoot in selectors.shoots_of(subject)[:100]]
    context = {"subject": subject, "rows": rows, "photos": selectors.photos_of(subject).count()}
    return render(request, "studio/desk_work.html", context)
