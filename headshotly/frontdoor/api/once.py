"""The ``Idempotency-Key`` header of every POST: a request sent twice is done once."""

import functools
import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast
from uuid import UUID, uuid4

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja.decorators import decorate_view

from headshotly.access import bearers
from headshotly.frontdoor.api import problems
from headshotly.integrations import idempotency
from headshotly.policy.refusal import Refusal

HEADER = "Idempotency-Key"
_DONE = range(200, 300)
type Run = Callable[..., HttpResponse]


def _hashed(request: HttpRequest) -> bytes:
    """Return a hash of what is asked for; a form's boundary, which differs each time it is sent, does not count."""
    found = hashlib.sha256(f"{request.method} {request.get_full_path()}\n{request.content_type}\n".encode())
    if request.content_type != "multipart/form-data":
        found.update(request.body)
        return found.digest()
    for name, values in sorted(request.POST.lists()):
        found.update(repr((name, values)).encode())
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            found.update(repr((name, hashlib.file_digest(file, "sha256").hexdigest())).encode())
            file.seek(0)
    return found.digest()


def _replayed(kept: idempotency.Answer) -> HttpResponse:
    answer = HttpResponse(kept.body, status=kept.status, content_type="application/json; charset=utf-8")
    if kept.location:
        answer["Location"] = kept.location
    answer["Idempotency-Replayed"] = "true"
    return answer


def work_id(request: HttpRequest) -> UUID:
    """Return the id for what a request makes: a new one, or its claim's, under which it may have been made before."""
    found: UUID | None = getattr(request, "work_id", None)
    return found or uuid4()


def _do(run: Run, request: HttpRequest, claim: idempotency.Claim, named: dict[str, Any]) -> HttpResponse:
    cast("Any", request).work_id = claim.work_id
    answer = run(request, **named)
    if answer.status_code in _DONE:
        kept = idempotency.Answer(answer.status_code, answer.content.decode(), answer.headers.get("Location", ""))
        idempotency.finish(claim, kept)
    return answer


def once(*, together: bool) -> Callable[[Any], Any]:
    """Mark an operation as done once for each idempotency key.

    Args:
        together: the work and its kept answer are one transaction, so that no crash comes between them. Not for work
            that takes long, since it holds the database: such work makes its thing under ``work_id``, and looks first.
    """

    def wrapped(run: Run) -> Run:
        @functools.wraps(run)
        def done_once(request: HttpRequest, **named: Any) -> HttpResponse:
            key = request.headers.get(HEADER)
            if key is None:
                return run(request, **named)
            try:
                claim = idempotency.begin(bearer=bearers.bearer_of(request), key=key, request=_hashed(request))
            except Refusal as refusal:
                return problems.of_refusal(refusal)
            if isinstance(claim, idempotency.Answer):
                return _replayed(claim)
            whole: AbstractContextManager[Any] = transaction.atomic() if together else nullcontext()
            try:
                with whole:
                    answer = _do(run, request, claim, named)
            except BaseException:
                # Apart from its answer the work may have been done, so that nobody else gets the key.
                (idempotency.release if together else idempotency.give_back)(claim)
                raise
            if answer.status_code not in _DONE:
                idempotency.release(claim)
            return answer

        return done_once

    decorator: Callable[[Any], Any] = decorate_view(wrapped)
    return decorator
