"""Acts that take over or end something ask again who somebody is, and lead back afterwards."""

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from headshotly.accounts.entering import proved
from headshotly.policy.enforcement import enforces

type View = Callable[..., HttpResponseBase]


@enforces("10.2", "1.2.c")
def needs_proof(home: str) -> Callable[[View], View]:
    """Send a customer to prove again who they are, unless they did a few minutes ago, and back to the page afterwards.

    Args:
        home: name of the page to come back to where the act itself cannot be come back to.
    """

    def guard(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if proved(request):
                return view(request, *args, **kwargs)
            then = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse(home)
            return redirect(f"{reverse('accounts:prove')}?{urlencode({'next': then})}")

        return guarded

    return guard
