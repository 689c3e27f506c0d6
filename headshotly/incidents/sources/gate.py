"""The vendor gate as a source: each call that was let out, each that was refused, each that went past the gate."""

import datetime as dt
from typing import Any
from uuid import UUID

from headshotly.incidents import ocsf
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import LogSource

_OPEN, _REFUSE = 1, 5


def observe(line: dict[str, Any], raw: bytes) -> Observation:
    """Return the event of one line that ``watching.saw_decision`` wrote.

    Raises:
        EventRefused: the line lacks what every line has.
    """
    try:
        at, uid = dt.datetime.fromisoformat(line["at"]), str(line["id"])
        host, vendor, reason = str(line["host"]), str(line["vendor"]), str(line["reason"])
        opened, carries = bool(line["opened"]), tuple(str(one) for one in line["carries"])
        subject = UUID(line["subject"]) if line["subject"] else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EventRefused("A line of the vendor gate is not as it is written.") from error
    outcome = "success" if opened else "failure"
    fields = {"host": host, "vendor": vendor, "opened": "yes" if opened else "no", "reason": reason}
    return Observation(
        source="vendor-gate",
        native_id=uid,
        occurred_at=at,
        log_source=LogSource("network_connection", "headshotly", "vendor-gate"),
        fields={name: value for name, value in fields.items() if value} | ({"carries": carries} if carries else {}),
        ocsf=ocsf.event(
            ocsf.NETWORK,
            activity=_OPEN if opened else _REFUSE,
            at=at,
            source="vendor-gate",
            uid=uid,
            outcome=outcome,
            severity=1 if opened else 2,
            status_detail=reason,
            dst_endpoint={"hostname": host, **({"name": vendor} if vendor else {})},
            src_endpoint={"name": "headshotly"},
            unmapped={"carries": list(carries), **({"subject": str(subject)} if subject else {})},
        ),
        raw=raw,
        act=f"{'let out' if opened else 'refused'}: {host}"[:120],
        outcome=outcome,
        subject=subject,
    )
