"""Where a request wants to go afterwards: a path of this site, and nothing that only looks like one."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

LONGEST = 1024  # characters


def way_back(request: HttpRequest, *, otherwise: str) -> str:
    """Return the path that the field ``next`` of a form or query names.

    Only what begins with a slash counts: Django's ``redirect`` takes any other word for the name of a view, and fails
    on one that is none.

    Args:
        request: any.
        otherwise: path where none is named, or none of this site.
    """
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = wanted.startswith("/") and len(wanted) <= LONGEST
    return wanted if ours and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else otherwise
