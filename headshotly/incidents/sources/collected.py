"""What other programs send to the HTTP collector: JSON events with a kind of log source and native fields."""

import datetime as dt
import json
from typing import Any

from headshotly.incidents import ocsf
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.flattening import flatten
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import LogSource


def checked(event: Any) -> dict[str, Any]:
    """Return an event as it was sent, if it is one.

    Args:
        event: ``time`` (ISO 8601 with zone), ``fields`` (an object), and perhaps ``id``, ``category``, ``product``,
            ``service``, ``actor``, ``address``, ``act``, ``outcome``.

    Raises:
        EventRefused: with the reason in plain words.
    """
    if not isinstance(event, dict) or not isinstance(event.get("fields"), dict):
        raise EventRefused("Each event is an object with “time” and “fields”.")
    try:
        moment = dt.datetime.fromisoformat(str(event.get("time")))
    except ValueError:
        raise EventRefused("An event's “time” is no ISO 8601 time.") from None
    if moment.tzinfo is None:
        raise EventRefused("An event's “time” lacks its zone.")
    texts = ("id", "category", "product", "service", "actor", "address", "act", "outcome")
    if any(not isinstance(event.get(name, ""), str) or len(event.get(name, "")) > 200 for name in texts):  # noqa: PLR2004
        raise EventRefused("An event's id, log source, actor, address, act and outcome are short texts.")
    if event.get("outcome", "") not in {"", "success", "failure"}:
        raise EventRefused("An event's outcome is “success” or “failure”.")
    try:
        flatten(event["fields"])
    except ValueError:
        raise EventRefused("An event has too many fields.") from None
    return event


def observe(line: dict[str, Any], raw: bytes) -> Observation:
    """Return the event of one kept line: who sent it, its id, and what was sent.

    Raises:
        EventRefused: the line is not as it is written.
    """
    try:
        account, uid, sent = str(line["account"]), str(line["id"]), checked(line["event"])
    except KeyError as error:
        raise EventRefused("A line of the collector is not as it is written.") from error
    at = dt.datetime.fromisoformat(sent["time"])
    return Observation(
        source="collector",
        native_id=f"{account}:{uid}",
        occurred_at=at,
        log_source=LogSource(sent.get("category", ""), sent.get("product", ""), sent.get("service", "")),
        fields=flatten(sent["fields"]),
        ocsf=ocsf.event(
            ocsf.BASE,
            activity=ocsf.OTHER,
            at=at,
            source="collector",
            uid=uid,
            product=sent.get("product") or "collector",
            vendor=account,
            outcome=sent.get("outcome", ""),
            message=sent.get("act") or json.dumps(sent["fields"], ensure_ascii=False)[:500],
            unmapped=sent["fields"],
        ),
        raw=raw,
        act=sent.get("act", "")[:120],
        outcome=sent.get("outcome", ""),
        actor=sent.get("actor", "")[:120],
        address=sent.get("address", "")[:64],
    )
