"""Addresses of the API and of the pages about it."""

from django.urls import path
from django.urls.resolvers import URLPattern

from headshotly.frontdoor.api import pages
from headshotly.frontdoor.api.operations import api
from headshotly.policy.permission import permission


def _operations() -> list[URLPattern]:
    """Return one address for each path, behind a customer's token; each operation names its scope besides.

    Ninja gives a path as often as it has methods, all with one view, and a root that is a page of nothing.
    """
    found = {str(one.pattern): one for one in api.urls[0] if isinstance(one, URLPattern) and one.name != "api-root"}
    for one in found.values():
        permission("token")(one.callback)
    return list(found.values())


app_name = "api"
urlpatterns = [
    path("openapi.json", pages.openapi, name="openapi"),
    *_operations(),
]
