"""*Who opened my photos*: what the journal knows about a customer, in their own hands (clause 5.3.a)."""

import json
from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from headshotly.audit import selectors
from headshotly.audit.acts import Act
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
_SHOWN = 200


@permission("customer")
@require_safe
def openings_page(request: HttpRequest) -> HttpResponse:
    """List every opening of the customer's data, newest first."""
    found = [
        {
            "at": entry.leaf.occurred_at,
            "who": _WHO[entry.leaf.actor.kind],
            "role": entry.leaf.actor.role,
            "what": _WHAT[entry.leaf.act],
            "why": entry.leaf.purpose,
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
