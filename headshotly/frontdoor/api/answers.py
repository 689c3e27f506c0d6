"""Answers with an ETag, and pictures that are opened only where their program has not got them already."""

import hashlib
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from ninja.decorators import decorate_view


def tagged(run: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give a whole answer an ETag of its content, and answer 304 where the program has it."""

    def with_tag(request: HttpRequest, **named: Any) -> HttpResponse:
        answer = run(request, **named)
        if answer.status_code != 200 or answer.streaming:  # noqa: PLR2004 - HTTP's own number
            return answer
        answer["ETag"] = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
        answer["Cache-Control"] = "private, no-cache"
        return _conditional(request, answer)

    return with_tag


etag: Callable[[Any], Any] = decorate_view(tagged)


def _conditional(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    return get_conditional_response(request, etag=answer["ETag"], response=answer) or answer


def picture(request: HttpRequest, *, tag: str, name: str, opened: Callable[[], bytes]) -> HttpResponse:
    """Return a picture that never changes; where the program names its tag, nothing is opened.

    Args:
        request: may name the tag it has.
        tag: of the sealed object.
        name: of the file.
        opened: opens it under a warrant.
    """
    known = get_conditional_response(request, etag=f'"{tag}"')
    if known is not None:
        return known
    answer = HttpResponse(opened(), content_type="image/jpeg")
    answer["ETag"] = f'"{tag}"'
    answer["Cache-Control"] = "private, no-cache"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
