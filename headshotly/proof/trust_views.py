"""The trust page and its forms: a page, JSON, Atom, badges. Public, the same for everybody, cached, without scripts."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from http import HTTPStatus

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from headshotly.policy import configuration
from headshotly.policy.clauses import clauses
from headshotly.policy.permission import permission
from headshotly.policy.wording import LANGUAGES, language, speaking, told
from headshotly.proof import badge, changes, selectors, trust
from headshotly.proof.trust_words import ASSURANCES, VERDICTS

FRESH_SECONDS = 60
_KEPT_SECONDS = 30


def _kept(key: str, make: Callable[[], str]) -> bytes:
    """Return what was made less than half a minute ago from the newest run, or make it.

    A verdict may also change by growing old, which half a minute later is early enough to say.
    """
    run = selectors.latest_run()
    place = f"trust:{key}:{configuration.current().public_url}:{run.id if run else 'none'}"
    found: bytes | None = cache.get(place)
    if found is None:
        found = make().encode()
        cache.set(place, found, _KEPT_SECONDS)
    return found


def _answer(request: HttpRequest, body: bytes, content_type: str, *, elsewhere: bool = False) -> HttpResponse:
    """Return an answer that caches may keep for a minute.

    Args:
        request: what was asked.
        body: the answer.
        content_type: of the body.
        elsewhere: other sites may show or read it.
    """
    answer = HttpResponse(body, content_type=content_type)
    answer["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    # Another layer may add a cookie for who sends one, or for a privacy signal; caches must not hand that to others.
    if request.COOKIES or request.headers.get("Sec-GPC"):
        patch_cache_control(answer, private=True, max_age=FRESH_SECONDS)
    else:
        patch_cache_control(answer, public=True, max_age=FRESH_SECONDS, stale_while_revalidate=FRESH_SECONDS * 10)
    if elsewhere:
        answer["Cross-Origin-Resource-Policy"] = "cross-origin"
        answer["Access-Control-Allow-Origin"] = "*"
    conditional = get_conditional_response(request, etag=answer["ETag"], response=answer)
    return conditional if isinstance(conditional, HttpResponse) else answer


def _page(tongue: str) -> str:
    """Return the page; made without the request, so that nothing of one visitor can reach another."""
    here, shown = configuration.current(), trust.overview()
    with speaking(tongue):
        context = {
            "shown": shown,
            "contents": trust.contents(shown),
            "verdicts": [(one.value, said) for one, said in VERDICTS.items()],
            "assurances": ASSURANCES.values(),
            "bars": _bars(shown),
            "operator": here.operator,
            "environment": here.environment,
            "effective": dt.date.fromisoformat(shown.effective),
            "page_language": tongue,
        }
        return render_to_string("proof/trust.html", context)


def _bars(shown: trust.Overview) -> list[dict[str, object]]:
    """Return the bar's pieces, best first, in thousandths of its width."""
    found, start = [], 0.0
    for count in reversed(shown.counts):
        width = 1000 * count.number / shown.total
        found.append({"x": round(start, 1), "width": round(width, 1), "tone": count.said.tone, "count": count})
        start += width
    return found


def _html(request: HttpRequest, tongue: str) -> HttpResponse:
    return _answer(request, _kept(f"page:{tongue}", lambda: _page(tongue)), "text/html; charset=utf-8")


@permission("public")
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the policy with what is known of every sentence, in the visitor's language."""
    answer = _html(request, language())
    patch_vary_headers(answer, ["Accept-Language", "Cookie"])
    return answer


@permission("public")
@require_safe
def page_in(request: HttpRequest, tongue: str) -> HttpResponse:
    """Show the same page in one language, for a link that says the same to everybody."""
    if tongue not in LANGUAGES:
        raise Http404
    return _html(request, tongue)


@permission("public")
@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """Give the page for machines."""
    body = _kept("json", lambda: json.dumps(trust.as_document(trust.overview()), ensure_ascii=False, indent=1) + "\n")
    return _answer(request, body, "application/json", elsewhere=True)


def _feed(tongue: str) -> str:
    here = configuration.current()
    with speaking(tongue):
        feed = Atom1Feed(
            title=_("Security policy: what changed"),
            link=f"{here.public_url}/trust/{tongue}/",
            feed_url=f"{here.public_url}/trust/{tongue}/changes.atom",
            description=_("Every change of what is known of a promise, in the last thirty days."),
            author_name=here.operator.name,
            language=tongue,
        )
        for one in changes.latest():
            before, after = (told(VERDICTS[each].label) for each in (one.before, one.after))
            feed.add_item(
                title=f"{one.clause.id}: {before} → {after}",
                link=f"{here.public_url}/trust/{tongue}/#clause-{one.clause.id}",
                description=f"{told(one.clause.sentence)} — {told(one.reason)}",
                unique_id=f"{here.public_url}/trust/#{one.clause.id}-{one.at:%Y%m%dT%H%M%S.%f}",
                updateddate=one.at,
                pubdate=one.at,
            )
        return feed.writeString("utf-8")


@permission("public")
@require_safe
def feed(request: HttpRequest, tongue: str) -> HttpResponse:
    """Give the changes of the last month as Atom (RFC 4287)."""
    if tongue not in LANGUAGES:
        raise Http404
    return _answer(request, _kept(f"atom:{tongue}", lambda: _feed(tongue)), "application/atom+xml; charset=utf-8")


@permission("public")
@require_safe
def feed_here(_request: HttpRequest) -> HttpResponse:
    """Lead to the feed in the visitor's language."""
    return redirect("trust:feed", tongue=language())


def _badge() -> str:
    shown = trust.overview()
    counts = {one.verdict: one.number for one in shown.counts}
    return badge.of_policy(counts, total=shown.total, production=shown.production)


def _clause_badge(clause_id: str) -> str:
    state, shown = selectors.state(clause_id), trust.overview()
    said = VERDICTS[state.judgement.verdict]
    label = f"policy {clause_id}" + ("" if shown.production else " (not production)")
    return badge.draw(label, said.label.lower(), tone=said.tone)


@permission("public")
@require_safe
def policy_badge(request: HttpRequest) -> HttpResponse:
    """Draw the badge of the whole policy."""
    return _answer(request, _kept("badge", _badge), "image/svg+xml", elsewhere=True)


@permission("public")
@require_safe
def clause_badge(request: HttpRequest, clause_id: str) -> HttpResponse:
    """Draw the badge of one promise."""
    if clause_id not in clauses():
        return HttpResponse("There is no such clause.\n", content_type="text/plain", status=HTTPStatus.NOT_FOUND)
    body = _kept(f"badge:{clause_id}", lambda: _clause_badge(clause_id))
    return _answer(request, body, "image/svg+xml", elsewhere=True)
