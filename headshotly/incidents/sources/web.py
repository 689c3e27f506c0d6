"""Web access as a source: one event for each answered request, made where the request is answered.

Neither the network address nor a secret of a link ever leaves the process: the address becomes a pseudonym, the path
the route's own pattern wherever a route took the request, and a harmless value of our own forms its length.
"""

import datetime as dt
import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from django.urls import Resolver404, resolve

from headshotly.incidents import ocsf
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import LogSource
from headshotly.orders.card_numbers import mask

_ADDRESS = re.compile(r"[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})+")
_SECRET = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w:=-]{16,}")
_HARMLESS = re.compile(r"[\w@.+\- ]*")
# What our own pages ask with. Its values are people's; a name that is not here is a stranger's doing and stays.
_OURS = frozenset({"next", "q", "form", "page", "token", "email", "address", "since", "until", "show", "sort", "code"})
_LENGTHS_MAX = 1024


def without_people(text: str) -> str:
    """Return what a stranger sent without the e-mail addresses and card numbers in it; attacks stay readable."""
    return mask(_ADDRESS.sub("~address", unquote(text) if "%40" in text else text))


def _without_secrets(path: str) -> str:
    """Return a path without what may be a link's secret: one cut short or run on leads nowhere, and is one still."""
    return "/".join(f"~{len(part)}" if _SECRET.fullmatch(part) else part for part in path.split("/"))


def shown_referer(referer: str, own: str) -> str:
    """Return where a request came from: one of our own pages by its pattern, for a link of ours may hold a secret.

    Args:
        referer: the header.
        own: this service's public address.
    """
    place = referer.split("?", 1)[0].split("#", 1)[0][:_LENGTHS_MAX]
    parts = urlsplit(place)
    if parts.netloc != urlsplit(own).netloc:
        return _without_secrets(without_people(place))
    try:
        return f"{own}/{resolve(parts.path or '/').route}"
    except Resolver404:
        return own


def shown_path(path: str, route: str, kwargs: dict[str, Any]) -> str:
    """Return a request's path without what it may hold of secrets.

    Args:
        path: as it was asked for.
        route: pattern of the view that took it; empty where none did.
        kwargs: what the pattern took out of it.
    """
    if not route:
        return _without_secrets(without_people(path[:_LENGTHS_MAX]))
    return f"/{route}"[:_LENGTHS_MAX] if kwargs else path[:_LENGTHS_MAX]


def shown_query(query: str) -> str:
    """Return a query string in which harmless values of our own fields are replaced by their length."""
    pairs = parse_qsl(query[: 2 * _LENGTHS_MAX], keep_blank_values=True, max_num_fields=None)
    if not pairs:
        return without_people(query[:_LENGTHS_MAX])
    kept = []
    for name, value in pairs[:50]:
        ours = name in _OURS and _HARMLESS.fullmatch(value)
        kept.append(f"{quote(name, safe='[]')}={f'~{len(value)}' if ours else without_people(value)}")
    return "&".join(kept)[:_LENGTHS_MAX]


def observe(line: dict[str, Any], raw: bytes) -> Observation:
    """Return the event of one line that ``watching`` wrote.

    Raises:
        EventRefused: the line lacks what every line has.
    """
    try:
        at = dt.datetime.fromisoformat(line["at"])
        status = int(line["status"])
        uid, method, path, query = line["id"], line["method"], line["path"], line["query"]
    except (KeyError, TypeError, ValueError) as error:
        raise EventRefused("A line of web access is not as it is written.") from error
    address, agent, actor = line.get("address", ""), line.get("agent", ""), line.get("actor", "")
    outcome = "success" if status < 400 else "failure"  # noqa: PLR2004 - HTTP
    stem = f"{path}?{query}" if query else path
    fields = {
        "cs-method": method,
        "cs-uri": stem,
        "cs-uri-stem": path,
        "cs-uri-query": stem,  # as public rules use it: path and query together
        "cs-user-agent": agent,
        "cs-referer": line.get("referer", ""),
        "sc-status": status,
        "c-ip": address,
        "route": line.get("route", ""),
        "actor": actor,
        "inspection": line.get("inspection", ""),
        "seconds": line.get("seconds", 0.0),
    }
    return Observation(
        source="web",
        native_id=uid,
        occurred_at=at,
        log_source=LogSource("webserver", "headshotly", "web"),
        fields={name: value for name, value in fields.items() if value != ""},
        ocsf=ocsf.event(
            ocsf.HTTP,
            activity=_ACTIVITIES.get(method, ocsf.OTHER),
            at=at,
            source="web",
            uid=uid,
            outcome=outcome,
            http_request={
                "http_method": method if method in _ACTIVITIES else None,
                "url": {"path": path, "query_string": query},
                "user_agent": agent,
            },
            http_response={"code": status},
            src_endpoint={"uid": address or "unknown", "owner": {"uid": actor}},
            dst_endpoint={"name": "headshotly"},
            unmapped={} if method in _ACTIVITIES else {"method": method},
        ),
        raw=raw,
        act=f"{method} {path}"[:120],
        outcome=outcome,
        actor=actor,
        address=address,
    )


_ACTIVITIES = {"CONNECT": 1, "DELETE": 2, "GET": 3, "HEAD": 4, "OPTIONS": 5, "POST": 6, "PUT": 7, "TRACE": 8}
