"""The public list of everybody who processes for us, what they get, and every change of it (GDPR Art. 28(2))."""

from typing import Any

from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from headshotly.policy.permission import permission
from headshotly.vendors import categories, selectors
from headshotly.vendors.selectors import Change


@permission("public")
@require_safe
def public_list(request: HttpRequest) -> HttpResponse:
    """Show who processes for us, where and what."""
    context = {
        "vendors": [one.vendor for one in selectors.in_use()],
        "explained": categories.CATEGORIES,
        "changes": selectors.changes(),
    }
    return render(request, "vendors/list.html", context)


@permission("public")
@require_safe
def public_json(_request: HttpRequest) -> HttpResponse:
    """Give the list to programs."""
    found = [
        {
            "name": one.vendor.name,
            "purpose": one.vendor.purpose,
            "data": one.vendor.categories,
            "regions": one.vendor.regions,
            "subprocessors": one.vendor.subprocessors,
            "since": one.vendor.decided_at,
        }
        for one in selectors.in_use()
    ]
    return JsonResponse({"vendors": found})


@permission("public")
class ChangesFeed(Feed[Change, Any]):
    """Every change of the list, to subscribe to."""

    feed_type = Atom1Feed
    title = _("Changes of who processes for us")
    link = reverse_lazy("vendors:list")
    subtitle = _("New, changed and ended vendors and sub-processors.")

    def items(self) -> list[Change]:
        """Return the newest changes first."""
        return selectors.changes()[:50]

    def item_title(self, item: Change) -> str:
        """Return whom it is about."""
        return f"{item.vendor}: {item.at:%Y-%m-%d}"

    def item_description(self, item: Change) -> str:
        """Return what changed."""
        return f"{item.vendor} {item.what}"

    def item_link(self, item: Change) -> str:
        """Return where it can be read."""
        return f"{self.link}#{item.at:%Y%m%d%H%M%S}"

    def item_updateddate(self, item: Change) -> Any:
        """Return when it changed."""
        return item.at
