"""*Who opened my photos*: what the journal knows about a customer, in their own hands (clause 5.3.a)."""

import json
from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from headshotly.access.models import Purpose
from headshotly.audit import selectors
from headshotly.audit.acts import Act
from headshotly.audit.leaf import Leaf
from headshotly.policy.permission import permission

_OPENINGS = {Act.OBJECT_OPENED, Act.FIELD_OPENED, Act.WARRANT_REFUSED}
_WHO = {
    "customer": "You",
    "worker": "A worker of the studio",
    "staff": "A member of staff",
    "system": "The system",
    "visitor": "A visitor",
    "service": "A service",
}
_WHAT = {
    Act.OBJECT_OPENED: "opened a picture",
    Act.FIELD_OPENED: "read a personal detail",
    Act.WARRANT_REFUSED: "was refused",
}
_FIELDS = {"accounts.email": "read your address", "accounts.name": "read your name"}
_WHY = {
    "view": "You looked at it",
    "download": "You downloaded it",
    "generate": "To make your headshots",
    "account-page": "To show your account page",
    "change-address": "To change your address",
    "security-notice": "To write to you about your account's security",
    "breach-notice": "To write to you about a security incident",
    "second-factor": "To set up or use your second factor",
    **dict(Purpose.choices),
}
_SHOWN = 200


def _what_and_why(leaf: Leaf) -> tuple[str, str]:
    """Return in plain words what was done and why; what has no words here is shown as it is written down."""
    purpose, _, field = leaf.purpose.partition(": ")
    reason, _, details = purpose.partition(" (")
    words = _WHY.get(reason, reason)
    what = _FIELDS.get(field, _WHAT[leaf.act]) if leaf.act is Act.FIELD_OPENED else _WHAT[leaf.act]
    return what, f"{words} ({details}" if details else words


@permission("customer")
@require_safe
def openings_page(request: HttpRequest) -> HttpResponse:
    """List every opening of the customer's data, newest first."""
    found = [
        {
            "at": entry.leaf.occurred_at,
            "who": _WHO[entry.leaf.actor.kind],
            "role": entry.leaf.actor.role.replace("-", " "),
            "what": _what_and_why(entry.leaf)[0],
            "why": _what_and_why(entry.leaf)[1],
            "index": entry.index,
        }
        for entry in selectors.entries_of_subject(cast("UUID", request.user.pk))
        if entry.leaf.act in _OPENINGS
    ]
    context = {"openings": found[::-1][:_SHOWN], "total": len(found)}
    return render(request, "access/openings.html", context)


@permission("customer")
@require_safe
def openings_download(request: HttpRequest) -> HttpResponse:
    """Give the customer every entry about them with its proof; ``headshotly journal verify-openings`` checks it."""
    document = selectors.proofs_of_subject(cast("UUID", request.user.pk))
    answer = HttpResponse(json.dumps(document, indent=1), content_type="application/json")
    answer["Content-Disposition"] = 'attachment; filename="who-opened-my-photos.json"'
    return answer
