"""The gate before every view: who asks, and whether the view's permission lets them (clause 2.4.a)."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from headshotly.access import bearers, machines, members, services
from headshotly.access.errors import PermissionMissing
from headshotly.access.warrants import owner_warrant, service_warrant
from headshotly.accounts.entering import keeps_alive
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission_of
from headshotly.policy.refusal import Refusal
from headshotly.vault.warrant import Warrant

STAFF_COOKIE = "__Host-staff"


def _answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    if "application/json" in request.headers.get("Accept", "") or request.headers.get("Authorization"):
        return JsonResponse({"code": refusal.code, "sentence": refusal.sentence}, status=refusal.status)
    return render(request, "frontdoor/refusal.html", {"refusal": refusal}, status=refusal.status)


@enforces("2.4.a", "2.4.b", "5.1.a")
class PermissionGate:
    """Refuses by default. A view that names no permission is refused to everybody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request go on, with the two warrants pages below may need; ``process_view`` decides."""
        cast("Any", request).service_warrant = lambda subject, purpose: service_warrant(
            subject=subject, purpose=purpose
        )
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: tuple[Any, ...], _kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Return None to let a request through to its view, or the answer that sends it away."""
        try:
            return self.decide(request, permission_of(view))
        except Refusal as refusal:
            # Django gives what a middleware raises here to nobody, so the refusal is answered on the spot.
            return _answer(request, refusal)

    def decide(self, request: HttpRequest, needed: str | None) -> HttpResponse | None:
        """Return None where whoever asks has the permission, or where to sign in.

        Raises:
            PermissionMissing: nobody, or not this one, may see the view.
            TokenRefused: the view is for programs, and this one's token does not open it.
        """
        asking = cast("Any", request)
        match needed:
            case "public":
                return None
            case "customer":
                return self._customer(asking)
            case "token":
                bearers.bearer_of(request)
                return None
            case str() if needed.partition(":")[0] == "staff":
                return self._staff(asking, needed)
            case str() if needed.partition(":")[0] == "service":
                asking.service_account = machines.account_of(
                    request.headers.get("Authorization", ""), right=needed.partition(":")[2]
                )
                return None
            case _:
                raise PermissionMissing("This page is closed: it does not say who may see it.")

    def _customer(self, request: Any) -> HttpResponse | None:
        if not (request.user.is_authenticated and keeps_alive(request)):
            if request.method in {"GET", "HEAD"}:
                return redirect(f"/account/sign-in/?{urlencode({'next': request.get_full_path()})}")
            raise PermissionMissing("Please sign in first.")

        def warrant(purpose: str) -> Warrant:
            return owner_warrant(
                customer_id=request.user.pk,
                session_key=request.session.session_key or "none",
                purpose=purpose,
            )

        request.owner_warrant = warrant
        return None

    def _staff(self, request: Any, needed: str) -> HttpResponse | None:
        session = services.session_of(request.COOKIES.get(STAFF_COOKIE, ""))
        if session is None:
            if request.method in {"GET", "HEAD"}:
                return redirect("/staff/sign-in/")
            raise PermissionMissing("Please sign in first.")
        right = needed.partition(":")[2]
        if right:
            members.require_right(session.member, right)
        request.staff, request.staff_session = session.member, session
        return None
