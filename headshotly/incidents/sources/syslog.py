"""Syslog messages as RFC 5424 spells them, framed as RFC 5425 does over TLS: ``LENGTH SP MESSAGE``."""

import datetime as dt
import re
from typing import Any

from headshotly.incidents import ocsf
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import LogSource

MESSAGE_BYTES_MAX = 64 * 1024
_HEADER = re.compile(
    rb"<(?P<pri>\d{1,3})>(?P<version>[1-9]\d{0,2}) (?P<time>\S{1,64}) (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48})"
    rb" (?P<proc>[!-~]{1,128}) (?P<msgid>[!-~]{1,32}) (?P<rest>.*)",
    re.DOTALL,
)
_ELEMENT = re.compile(rb'\[(?P<id>[^\s=\]"]{1,32})(?P<params>(?: [^\s=\]"]{1,32}="(?:[^"\\\]]|\\.)*")*)\]', re.DOTALL)
_PARAM = re.compile(rb' ([^\s=\]"]{1,32})="((?:[^"\\\]]|\\.)*)"', re.DOTALL)
_NIL = b"-"
_SEVERITIES = {0: 6, 1: 5, 2: 5, 3: 4, 4: 3, 5: 2, 6: 1, 7: 1}
# Sigma's name of the service, by the program's.
_SERVICES = {"sshd": "sshd", "sshd-session": "sshd", "crond": "cron", "clamd": "clamav", "freshclam": "clamav"}


def parse(message: bytes) -> dict[str, Any]:
    """Return a message's parts: the header's by name, ``data`` (flat) and ``text``.

    Raises:
        EventRefused: it is no RFC 5424 message.
    """
    found = _HEADER.fullmatch(message)
    if found is None or int(found["pri"]) > 191 or found["version"] != b"1":  # noqa: PLR2004 - 23 facilities, 8 levels
        raise EventRefused("This is no syslog message as RFC 5424 spells it.")
    data, text = _structured(found["rest"])
    return {
        "facility": int(found["pri"]) >> 3,
        "severity": int(found["pri"]) & 7,
        "time": _moment(found["time"]),
        **{name: "" if found[name] == _NIL else found[name].decode() for name in ("host", "app", "proc", "msgid")},
        "data": data,
        "text": text.removeprefix(b"\xef\xbb\xbf").decode(errors="replace"),
    }


def _moment(spelled: bytes) -> dt.datetime | None:
    if spelled == _NIL:
        return None
    try:
        moment = dt.datetime.fromisoformat(spelled.decode())
    except ValueError as error:
        raise EventRefused("A syslog message has a time that is none.") from error
    if moment.tzinfo is None:
        raise EventRefused("A syslog message has a time without its zone.")
    return moment


def _structured(rest: bytes) -> tuple[dict[str, str], bytes]:
    if rest == _NIL or rest.startswith(b"- "):
        return {}, rest[2:]
    data, place = {}, 0
    while found := _ELEMENT.match(rest, place):
        for name, value in _PARAM.findall(found["params"]):
            plain = re.sub(rb'\\(["\\\]])', rb"\1", value)
            data[f"{found['id'].decode(errors='replace')}.{name.decode(errors='replace')}"] = plain.decode(
                errors="replace"
            )
        place = found.end()
    if not place or (place < len(rest) and rest[place : place + 1] != b" "):
        raise EventRefused("A syslog message has structured data that is none.")
    return data, rest[place + 1 :]


def observe(message: bytes, *, uid: str, received_at: dt.datetime) -> Observation:
    """Return the event of one message.

    Args:
        message: without its frame.
        uid: given at reception: two equal messages are two events.
        received_at: stands in where the message has no time.

    Raises:
        EventRefused: it is no RFC 5424 message.
    """
    said = parse(message)
    at = said["time"] or received_at
    app = said["app"].lower()
    fields = {
        "host": said["host"],
        "program": said["app"],
        "pid": said["proc"],
        "msgid": said["msgid"],
        "facility": said["facility"],
        "level": said["severity"],
        "message": said["text"],
        **said["data"],
    }
    return Observation(
        source="syslog",
        native_id=uid,
        occurred_at=at,
        log_source=LogSource("", "linux", _SERVICES.get(app, app or "syslog")),
        fields={name: value for name, value in fields.items() if value != ""},
        ocsf=ocsf.event(
            ocsf.BASE,
            activity=ocsf.OTHER,
            at=at,
            source="syslog",
            uid=uid,
            product=said["app"] or "syslog",
            vendor=said["host"] or "unknown",
            severity=_SEVERITIES[said["severity"]],
            message=said["text"],
            unmapped={"host": said["host"], "data": said["data"], "pid": said["proc"]},
        ),
        raw=message,
        act=said["app"][:120],
        actor="",
    )
