"""The access reply of GDPR Art. 15 as PDF: every item of its first paragraph, and the data itself."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from headshotly.audit.actor import Actor
from headshotly.policy import clock, configuration
from headshotly.policy.documents import Block, Bullets, Document, Grid, Part, Text, render_pdf
from headshotly.policy.enforcement import enforces
from headshotly.policy.wording import day, moment, told
from headshotly.purposes import notices as declared
from headshotly.purposes.declarations import activities, limits
from headshotly.purposes.notices import Notice
from headshotly.rights import notices, rooms, services
from headshotly.rights.states import Channel, Kind, Regime
from headshotly.vault.warrant import Warrant

_ROOMS = {
    "rights": noop("Requests and choices"),
    "studio": noop("Photos and headshots"),
    "accounts": noop("Account"),
    "vault": noop("Sealed objects"),
    "purposes": noop("Consents"),
}


@enforces("1.2.c")
def reply(*, actor: Actor, subject: UUID, regime: Regime, warrant: Warrant, language: str) -> bytes:
    """Return the reply to a customer's request for access, and record the request as answered.

    Args:
        actor: the customer.
        subject: their pseudonym.
        regime: which law they rely on; no law is given biometric measurements here, for none are kept.
        warrant: their own.
        language: of the page, BCP 47.
    """
    with transaction.atomic():
        received = services.receive(
            actor=actor,
            kind=Kind.KNOW,
            regime=regime,
            channel=Channel.ACCOUNT,
            words=services.Words(),
            subject=subject,
        )
        answered = services.answer(
            actor=actor, request_id=received.request.id, reply=_("Given as a PDF on the page, at once.")
        )
    held = rooms.export_all(subject, warrant)
    operator = configuration.current().operator
    document = Document(
        title=_("What we hold about you"),
        lead=(
            f"{answered.reference} · {day(clock.now())}",
            _("Reply under Article 15 of the GDPR and section 1798.110 of the California Civil Code"),
        ),
        parts=_parts(declared.privacy_notice(operator), held, regime),
        language=language,
        page_word=_("Page"),
    )
    return render_pdf(document, operator=operator)


def _parts(notice: Notice, held: dict[str, Any], regime: Regime) -> tuple[Part, ...]:
    return (
        Part(_("Who answers for it"), (Text(notice.controller), Text(f"{_('Contact')}: {notice.officer}"))),
        Part(_("What for, on which basis, how long, and who receives it"), (_activities(notice),)),
        Part(_("Where it comes from"), (Bullets(tuple(f"{line.title}: {line.source}" for line in notice.lines)),)),
        Part(
            _("Your rights"),
            (
                Text(
                    _(
                        "You may have it corrected or deleted, restrict or object to its use, take a copy along, and "
                        "take a consent back. You may complain to:"
                    )
                ),
                Bullets(tuple(notices.complaint_routes(regime))),
            ),
        ),
        Part(
            _("Decisions by machines, transfers"),
            (
                Text(_("No decision with legal or similar effect is made about you by a machine alone.")),
                Text(_("Nothing is sold or shared for advertising. Transfers outside the EU: see the table.")),
            ),
        ),
        Part(
            _("The data itself"),
            (
                Text(_("Pictures are in your copy, which you can download on “Your data”.")),
                *_held(held),
                Text(
                    _(
                        "Measurements of your face are never kept, so there are none to give. Password hash and second "
                        "factors are held, and not given out, because a reply must not help a thief."
                    )
                ),
            ),
        ),
    )


def _activities(notice: Notice) -> Grid:
    return Grid(
        head=(_("What for"), _("Data"), _("Legal basis"), _("Kept"), _("Recipients")),
        rows=tuple(
            (f"{line.title}. {line.purpose}", line.data, line.basis, line.retention, line.recipients)
            for line in notice.lines
        ),
        widths=(3, 2, 1.6, 2, 1.2),
    )


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Return nested data as lines of name and value, in order, for reading."""
    if isinstance(value, dict):
        return [line for key, inner in value.items() for line in flat(inner, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list | tuple):
        return [line for number, inner in enumerate(value, 1) for line in flat(inner, f"{name} {number}")]
    if isinstance(value, bool):
        return [(_words(name), _("yes") if value else _("no"))]
    shown = "-" if value in {None, ""} else value
    return [(_words(name), _readable(shown))]


def _words(name: str) -> str:
    """Return the name of a value as a person reads it: each part said, its number kept."""
    found = []
    for part in name.split("."):
        called, _space, number = part.rpartition(" ")
        found.append(f"{_said(called)} {number}" if called and number.isdecimal() else _said(part))
    return ", ".join(found)


def _said(key: str) -> str:
    """Return a key in words: a declared id, which has a hyphen, by its title; anything else as it is spelled."""
    return told(_titles().get(key, key) if "-" in key else key.replace("_", " "))


def _titles() -> dict[str, str]:
    return {one.id: one.title for one in activities()} | {name: limit.title for name, limit in limits().items()}


def room_title(room: str) -> str:
    """Return what a person calls a part of the service."""
    return _(_ROOMS.get(room, room.capitalize()))


def _readable(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return moment(value)
    if isinstance(value, dt.date):
        return day(value)
    return localize(value) if isinstance(value, int | float) else told(_titles().get(str(value), str(value)))


def _held(held: dict[str, Any]) -> list[Block]:
    found: list[Block] = []
    for room, data in held.items():
        rows = tuple(flat(data)) or ((_("nothing"), "-"),)
        found += [Text(room_title(room)), Grid(head=(_("What"), _("Value")), rows=rows, widths=(2, 3))]
    return found
