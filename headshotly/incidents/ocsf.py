"""Events as OCSF 1.3.0 spells them (schema.ocsf.io/1.3.0); the version is pinned and written into each event."""

import datetime as dt
import ipaddress
from typing import Any

VERSION = "1.3.0"

# class → (uid, category uid, name)
BASE = (0, 0, "Base Event")
DETECTION = (2004, 2, "Detection Finding")
ACCOUNT_CHANGE = (3001, 3, "Account Change")
AUTHENTICATION = (3002, 3, "Authentication")
NETWORK = (4001, 4, "Network Activity")
HTTP = (4002, 4, "HTTP Activity")
API = (6003, 6, "API Activity")
type Class = tuple[int, int, str]

OTHER = 99
SEVERITIES = {"unknown": 0, "informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5, "fatal": 6}
_STATUSES = {"success": (1, "Success"), "failure": (2, "Failure"), "": (0, "Unknown")}


def event(
    kind: Class,
    *,
    activity: int,
    at: dt.datetime,
    source: str,
    uid: str,
    product: str = "HeadShotly",
    vendor: str = "HeadShotlyAI",
    severity: int = 1,
    outcome: str = "",
    **attributes: Any,
) -> dict[str, Any]:
    """Return an event of a class with what every OCSF event must have.

    Args:
        kind: one of the classes above.
        activity: the class's own activity id; 99 is “other”.
        at: aware moment.
        source: name of the log.
        uid: the source's id of the event.
        product: what noticed it.
        vendor: who makes that.
        severity: 0 to 6.
        outcome: ``success``, ``failure`` or empty.
        attributes: of the class; empty ones are left out, at every depth. ``cloud`` brings the profile of that name.
    """
    class_uid, category_uid, name = kind
    given = {key: value if key == "unmapped" else without_empty(value) for key, value in attributes.items()}
    status_id, status = _STATUSES.get(outcome, _STATUSES[""])
    return {
        "metadata": {
            "version": VERSION,
            "product": {"name": product, "vendor_name": vendor},
            "log_name": source,
            "uid": uid,
            **({"profiles": ["cloud"]} if given.get("cloud") else {}),
        },
        "time": int(at.timestamp() * 1000),
        "class_uid": class_uid,
        "class_name": name,
        "category_uid": category_uid,
        "activity_id": activity,
        "type_uid": class_uid * 100 + activity,
        "severity_id": severity,
        "status_id": status_id,
        "status": status,
        **{key: value for key, value in given.items() if value not in _EMPTY},
    }


_EMPTY: tuple[Any, ...] = ("", None, {}, [])


def without_empty(value: Any) -> Any:
    """Return plain data without what is empty in it: an attribute without a value is left out, not sent as none."""
    if isinstance(value, dict):
        return {key: kept for key, inner in value.items() if (kept := without_empty(inner)) not in _EMPTY}
    if isinstance(value, list):
        return [kept for inner in value if (kept := without_empty(inner)) not in _EMPTY]
    return value


def endpoint(address: object, port: object = None) -> dict[str, Any]:
    """Return a network endpoint; whatever is no IP address is a name, and an endpoint nobody named is “unknown”."""
    said = str(address or "")
    try:
        where = {"ip": str(ipaddress.ip_address(said))}
    except ValueError:
        where = {"name": said or "unknown"}
    return where | ({"port": port} if isinstance(port, int) and 0 <= port <= _PORT_MAX else {})


_PORT_MAX = 65535
