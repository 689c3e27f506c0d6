"""English and Polish: which one a page speaks, and the switch between them."""

from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import redirect
from django.utils import translation
from django.views.decorators.http import require_POST

from headshotly.accounts import services as accounts
from headshotly.policy.permission import permission
from headshotly.policy.way_back import way_back
from headshotly.policy.wording import LANGUAGES

COOKIE = "__Host-language"  # settings names the same
_YEAR = 365 * 24 * 3600


class Languages(LocaleMiddleware):
    """Speaks what the visitor chose, else what their browser prefers; the staff console is English only."""

    def process_request(self, request: HttpRequest) -> None:
        """Choose before anything is written."""
        if request.path_info.startswith("/staff/"):
            translation.activate(LANGUAGES[0])
            request.LANGUAGE_CODE = LANGUAGES[0]
            return
        super().process_request(request)


@permission("public")
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on, in mails too where somebody is signed in; then back to the page."""
    wanted = request.POST.get("language", "")
    answer = redirect(way_back(request, otherwise="/"))
    if wanted not in LANGUAGES:
        return answer
    if request.user.is_authenticated:
        accounts.speak(subject=request.user.pk, language=wanted)
    answer.set_cookie(COOKIE, wanted, max_age=_YEAR, path="/", secure=True, httponly=True, samesite="Lax")
    return answer
