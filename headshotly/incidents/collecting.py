"""The HTTP collector: programs with a token leave events here; what is answered with 202 lies on the disk."""

import json
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from headshotly.incidents import spool
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.sources.collected import checked
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission

BODY_BYTES_MAX = 1 << 20
EVENTS_MAX = 1000


class TooMuch(EventRefused):
    """More than is taken at once."""

    code = "events.too_much"
    status = 413


class TryLater(EventRefused):
    """The disk does not take events now."""

    code = "events.try_later"
    status = 503


@csrf_exempt
@permission("service:events.write")
@never_cache
@require_POST
@enforces("8.2.b")
def take(request: HttpRequest) -> HttpResponse:
    """Take a batch of events, all or none; a second delivery of an ``id`` by the same account counts once.

    Body: ``{"events": [...]}``, at most 1000 and 1 MB; each as ``sources.collected.checked`` says.
    """
    events = _events(request)
    account = str(request.service_account.name)  # type: ignore[attr-defined]  # the gate puts it there
    lines = [{"account": account, "id": event.get("id") or uuid4().hex, "event": event} for event in events]
    if not spool.writer("collector").append(*lines, durably=True):
        raise TryLater("The events could not be kept. Please send the same again in a minute.")
    return JsonResponse({"taken": len(lines)}, status=202)


def _events(request: HttpRequest) -> list[dict[str, Any]]:
    if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_BYTES_MAX:
        raise TooMuch("Please send at most 1 MB at once.")
    if (request.content_type or "").startswith("multipart/"):  # its body was read as a form already
        raise EventRefused("The body is an object with a list “events”, as JSON.")
    try:
        said = json.loads(request.body)
        events = said["events"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise EventRefused("The body is an object with a list “events”, as JSON.") from None
    if not isinstance(events, list) or not events:
        raise EventRefused("“events” is a list of at least one event.")
    if len(events) > EVENTS_MAX:
        raise TooMuch(f"Please send at most {EVENTS_MAX} events at once.")
    for number, event in enumerate(events):
        try:
            checked(event)
        except EventRefused as refusal:
            raise EventRefused(f"Event {number}: {refusal.sentence} Nothing was taken.") from None
    return events
