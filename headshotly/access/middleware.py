"""The gate before every view: who asks, and whether the view's permission lets them (clause 2.4.a)."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from headshotly.access import services
from headshotly.access.errors import PermissionMissing
from headshotly.access.warrants import owner_warrant, service_warrant
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission_of
from headshotly.vault.warrant import Warrant

STAFF_COOKIE = "__Host-staff"


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
        """Return None to let a request through to its view, or the answer that sends it away.

        Raises:
            PermissionMissing: nobody, or not this one, may see the view.
        """
        needed = permission_of(view)
        asking = cast("Any", request)
        match needed:
            case "public":
                return None
            case "customer":
                return self._customer(asking)
            case str() if needed.startswith("staff"):
                return self._staff(asking, needed)
            case _:
                raise PermissionMissing("This page is closed: it does not say who may see it.")

    def _customer(self, request: Any) -> HttpResponse | None:
        if not request.user.is_authenticated:
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
        member = services.member_of_session(request.COOKIES.get(STAFF_COOKIE, ""))
        if member is None:
            return redirect("/staff/sign-in/")
        right = needed.partition(":")[2]
        if right and right != member.role:
            raise PermissionMissing("Your role does not include this.")
        request.staff = member
        return None
