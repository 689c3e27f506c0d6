"""*Who opened my photos*: what the journal knows about a customer, in their own hands (clause 5.3.a)."""

import json
from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_noop as noop
from django.views.decorators.http import require_safe

from headshotly.access.models import Purpose
from headshotly.audit import selectors
from headshotly.audit.acts import Act
from headshotly.audit.leaf import Leaf
from headshotly.policy.permission import permission
from headshotly.policy.wording import told

_OPENINGS = {Act.OBJECT_OPENED, Act.FIELD_OPENED, Act.WARRANT_REFUSED}
_WHO = {
    "customer": noop("You"),
    "worker": noop("A worker of the studio"),
    "staff": noop("A member of staff"),
    "system": noop("The system"),
    "visitor": noop("A visitor"),
    "service": noop("A service"),
}
_WHAT = {
    Act.OBJECT_OPENED: noop("opened a picture"),
    Act.FIELD_OPENED: noop("read a personal detail"),
    Act.WARRANT_REFUSED: noop("was refused"),
}
_FIELDS = {
    "accounts.email": noop("read your address"),
    "accounts.new_email": noop("read your new address"),
    "accounts.name": noop("read your name"),
    "accounts.totp": noop("checked your authenticator app"),
    "integrations.token-name": noop("read the name of a token"),
    "integrations.webhook-url": noop("read the address of an endpoint"),
    "integrations.webhook-secret": noop("used the secret of an endpoint"),
    "integrations.answer": noop("read an answer kept for a repeated request"),
    "rights.words": noop("read what you wrote to us"),
    "rights.reply": noop("read our answer to you"),
}
_WHY = {
    "view": noop("You looked at it"),
    "download": noop("You downloaded it"),
    "generate": noop("To make your headshots"),
    "account-page": noop("To show your account page"),
    "change-address": noop("To change your address"),
    "security-notice": noop("To write to you about your account's security"),
    "breach-notice": noop("To write to you about a security incident"),
    "second-factor": noop("To set up or use your second factor"),
    "own-request": noop("To show you your request"),
    "access-request": noop("To show you what we hold about you"),
    "export": noop("To pack your copy"),
    "export-download": noop("You downloaded your copy"),
    "view-by-program": noop("A program of yours looked at it"),
    "download-by-program": noop("A program of yours downloaded it"),
    "endpoints-by-program": noop("A program of yours asked for its endpoints"),
    "repeat-answer": noop("A program of yours repeated a request"),
    "programs-page": noop("To show your tokens and endpoints"),
    "webhook": noop("To tell your program what happened"),
    "webhook-notice": noop("To write to you about an endpoint of yours"),
    "rights-notice": noop("To write to you about your request"),
    "policy-notice": noop("To tell you about a changed policy or notice"),
    **dict(Purpose.choices),
}
_REQUEST = "rights-request "
_SHOWN = 200


def _what_and_why(leaf: Leaf) -> tuple[str, str]:
    """Return in plain words what was done and why; what has no words here is shown as it is written down."""
    purpose, _colon, field = leaf.purpose.partition(": ")
    reason, _bracket, details = purpose.partition(" (")
    if reason.startswith(_REQUEST):
        reason, details = _REQUEST.strip(), f"{reason.removeprefix(_REQUEST)})"
    words = told(str(_WHY.get(reason, reason)))
    what = _FIELDS.get(field, _WHAT[leaf.act]) if leaf.act is Act.FIELD_OPENED else _WHAT[leaf.act]
    return told(what), f"{words} ({details}" if details else words


@permission("customer")
@require_safe
def openings_page(request: HttpRequest) -> HttpResponse:
    """List every opening of the customer's data, newest first."""
    entries, total = selectors.newest_of_subject(cast("UUID", request.user.pk), _OPENINGS, most=_SHOWN)
    found = [
        {
            "at": entry.leaf.occurred_at,
            "who": told(_WHO[entry.leaf.actor.kind]),
            "role": told(entry.leaf.actor.role.replace("-", " ")),
            "what": _what_and_why(entry.leaf)[0],
            "why": _what_and_why(entry.leaf)[1],
            "index": entry.index,
        }
        for entry in entries
    ]
    context = {"openings": found, "total": total}
    return render(request, "access/openings.html", context)


@permission("customer")
@require_safe
def openings_download(request: HttpRequest) -> HttpResponse:
    """Give the customer every entry about them with its proof; ``headshotly journal verify-openings`` checks it."""
    document = selectors.proofs_of_subject(cast("UUID", request.user.pk))
    answer = HttpResponse(json.dumps(document, indent=1), content_type="application/json")
    answer["Content-Disposition"] = 'attachment; filename="who-opened-my-photos.json"'
    return answer
