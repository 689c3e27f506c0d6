"""Suricata's EVE log as a source: alerts, and the traffic records beside them.

Format: docs.suricata.io, EVE JSON output.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from headshotly.incidents import ocsf
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.flattening import flatten
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import LogSource

_NOTHING: Mapping[str, str] = MappingProxyType({})
_SEVERITIES = {1: 4, 2: 3, 3: 2}  # Suricata counts from the worst


def observe(line: bytes) -> Observation:
    """Return the event of one EVE line.

    Raises:
        EventRefused: the line is no EVE event.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise EventRefused("A line of Suricata's log is no event.") from error
    return event_of(record, raw=line)


def event_of(
    record: Any, *, raw: bytes, source: str = "suricata", made_by: tuple[str, str] = ("Suricata", "OISF"),
    more: Mapping[str, str] = _NOTHING,
) -> Observation:  # fmt: skip
    """Return the event of a decoded EVE record, whichever product it came out of.

    Args:
        record: as decoded.
        raw: what it came as.
        source: of the event.
        made_by: product and its vendor.
        more: fields that stood beside the record.

    Raises:
        EventRefused: it is no EVE event.
    """
    try:
        at, kind = dt.datetime.fromisoformat(record["timestamp"]), str(record["event_type"])
        fields = flatten(record) | dict(more)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EventRefused("A line of Suricata's log is no event.") from error
    if at.tzinfo is None:
        raise EventRefused("A line of Suricata's log has a time without its zone.")
    uid = hashlib.sha256(raw).hexdigest()
    alert = kind == "alert"
    severity = _SEVERITIES.get(_number(fields.get("alert.severity")), 2) if alert else 1
    title = str(fields.get("alert.signature") or kind)
    between = {
        "src_endpoint": ocsf.endpoint(fields.get("src_ip"), fields.get("src_port")),
        "dst_endpoint": ocsf.endpoint(fields.get("dest_ip"), fields.get("dest_port")),
        "connection_info": {"protocol_name": str(fields.get("proto") or "").lower(), "direction_id": 0},
    }
    finding = {"uid": str(fields.get("alert.signature_id") or uid), "title": title}
    blocked = fields.get("alert.action") == "blocked"
    return Observation(
        source=source,
        native_id=uid,
        occurred_at=at,
        log_source=LogSource("ids" if alert else "network_connection", "suricata", kind),
        fields=fields,
        ocsf=ocsf.event(
            ocsf.DETECTION if alert else ocsf.NETWORK,
            activity=1 if alert else 6,
            at=at,
            source=source,
            uid=uid,
            product=made_by[0],
            vendor=made_by[1],
            severity=severity,
            **({"finding_info": finding, "evidences": [between]} if alert else between),
            unmapped=record,
        ),
        raw=raw,
        act=title[:120],
        outcome="failure" if blocked else "",
        address=str(fields.get("src_ip") or "")[:64],
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
