"""CloudTrail, GuardDuty, VPC flow logs and Network Firewall, in the files AWS writes and the messages it sends.

Formats: docs.aws.amazon.com: CloudTrail record contents, GuardDuty finding format 2.0, VPC flow log records v2 to v5,
contents of a Network Firewall log.
"""

import datetime as dt
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any

from headshotly.incidents import ocsf
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.flattening import flatten
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import LogSource
from headshotly.incidents.sources import suricata

UNPACKED_MAX = 256 << 20
_AS_TEXT = ("requestParameters", "responseElements")
_GZIP = b"\x1f\x8b"
_VERBS = {"Create": 1, "Run": 1, "Put": 1, "Get": 2, "List": 2, "Describe": 2, "Update": 3, "Modify": 3, "Delete": 4}


def unpacked(data: bytes) -> bytes:
    """Return a delivered file's content, unzipped where it is zipped, bounded.

    Raises:
        EventRefused: it is broken, or larger than ``UNPACKED_MAX`` when unpacked.
    """
    if not data.startswith(_GZIP):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            content = file.read(UNPACKED_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise EventRefused("A delivered file is broken.") from error
    if len(content) > UNPACKED_MAX:
        raise EventRefused("A delivered file is far too large when unpacked.")
    return content


def cloudtrail_file(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield the records of a CloudTrail file.

    Raises:
        EventRefused: it is none.
    """
    try:
        records = json.loads(content)["Records"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EventRefused("A file that should hold CloudTrail records holds none.") from error
    if not isinstance(records, list):
        raise EventRefused("A file that should hold CloudTrail records holds none.")
    yield from records


def cloudtrail(record: Any) -> Observation:
    """Return the event of a CloudTrail record; its fields are CloudTrail's own.

    Raises:
        EventRefused: it is no CloudTrail record.
    """
    try:
        uid, name, at = record["eventID"], record["eventName"], _moment(record["eventTime"])
        fields = flatten(record)
        # Public rules look through these as the text they are in AWS's own console.
        fields |= {part: _bytes(record[part]).decode() for part in _AS_TEXT if record.get(part)}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EventRefused("A CloudTrail record is not as AWS writes it.") from error
    login = fields.get("responseElements.ConsoleLogin")
    outcome = "failure" if fields.get("errorCode") or login == "Failure" else "success"
    who, address = (
        str(fields.get("userIdentity.arn") or fields.get("userIdentity.type") or ""),
        fields.get("sourceIPAddress"),
    )
    service = {"name": str(fields.get("eventSource") or "AWS")}
    api = {"operation": str(name), "service": service}
    kind, activity = (
        (ocsf.AUTHENTICATION, 1)
        if name == "ConsoleLogin"
        else (ocsf.API, next((verb for start, verb in _VERBS.items() if name.startswith(start)), ocsf.OTHER))
    )
    return Observation(
        source="cloudtrail",
        native_id=str(uid),
        occurred_at=at,
        log_source=LogSource("", "aws", "cloudtrail"),
        fields=fields,
        ocsf=ocsf.event(
            kind,
            activity=activity,
            at=at,
            source="cloudtrail",
            uid=str(uid),
            product="CloudTrail",
            vendor="AWS",
            outcome=outcome,
            actor={"user": {"uid": who or "unknown", "type": str(fields.get("userIdentity.type") or "")}},
            **({"user": {"uid": who or "unknown"}} if kind is ocsf.AUTHENTICATION else {"api": api}),
            service=service if kind is ocsf.AUTHENTICATION else {},
            src_endpoint=ocsf.endpoint(address),
            cloud={"provider": "AWS", "region": str(fields.get("awsRegion") or "")},
            unmapped=record,
        ),
        raw=_bytes(record),
        act=f"{str(fields.get('eventSource') or '').split('.', 1)[0]}:{name}"[:120],
        outcome=outcome,
        actor=who[:120],
        address=str(address or "")[:64],
    )


def guardduty(finding: Any) -> Observation:
    """Return the event of a GuardDuty finding, as EventBridge sends it or as exported to a bucket.

    Raises:
        EventRefused: it is no finding.
    """
    if isinstance(finding, dict) and isinstance(finding.get("detail"), dict):
        finding = finding["detail"]
    finding = {key[:1].lower() + key[1:]: value for key, value in finding.items()} if isinstance(finding, dict) else {}
    try:
        at = _moment(str(finding.get("updatedAt") or finding["createdAt"]))
        uid, kind, score = f"{finding['id']}@{at.isoformat()}", str(finding["type"]), float(finding["severity"])
        fields = flatten(finding)
    except (KeyError, TypeError, ValueError) as error:
        raise EventRefused("A GuardDuty finding is not as AWS writes it.") from error
    severity = 5 if score >= 9 else 4 if score >= 7 else 3 if score >= 4 else 2  # noqa: PLR2004 - GuardDuty's own bands
    return Observation(
        source="guardduty",
        native_id=uid,
        occurred_at=at,
        log_source=LogSource("", "aws", "guardduty"),
        fields=fields | {"severity.level": severity},
        ocsf=ocsf.event(
            ocsf.DETECTION,
            activity=1,
            at=at,
            source="guardduty",
            uid=uid,
            product="GuardDuty",
            vendor="AWS",
            severity=severity,
            finding_info={"uid": str(finding["id"]), "title": str(finding.get("title") or kind), "types": [kind]},
            cloud={"provider": "AWS", "region": str(finding.get("region") or "")},
            unmapped=finding,
        ),
        raw=_bytes(finding),
        act=kind[:120],
    )


def firewall(record: Any) -> Observation:
    """Return the event of a record of Network Firewall: Suricata's own, with the firewall's name beside it.

    Raises:
        EventRefused: it is no such record.
    """
    if not isinstance(record, dict) or not isinstance(record.get("event"), dict):
        raise EventRefused("A record of Network Firewall is not as AWS writes it.")
    beside = {name: str(record.get(name) or "") for name in ("firewall_name", "availability_zone")}
    made_by = ("Network Firewall", "AWS")
    return suricata.event_of(
        record["event"], raw=_bytes(record), source="network-firewall", made_by=made_by, more=beside
    )


_FLOW_FIELDS = [
    *("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport"),
    *("protocol", "packets", "bytes", "start", "end", "action", "log-status"),
]


def flow_lines(content: bytes) -> Iterator[dict[str, str]]:
    """Yield the records of a VPC flow log file: by its header where it has one, else the default fields.

    Raises:
        EventRefused: the file is no text.
    """
    try:
        rows = content.decode().splitlines()
    except UnicodeDecodeError as error:
        raise EventRefused("A file that should hold flow records holds no text.") from error
    names = _FLOW_FIELDS
    for row in rows:
        parts = row.split()
        if parts and "srcaddr" in parts:
            names = parts
        elif parts:
            yield dict(zip(names, parts, strict=False)) | {"line": row}


def flow(record: dict[str, str]) -> Observation:
    """Return the event of one VPC flow record.

    Raises:
        EventRefused: the record lacks its addresses or times.
    """
    try:
        at = dt.datetime.fromtimestamp(int(record["start"]), dt.UTC)
        fields = {name: int(value) if value.isdecimal() else value for name, value in record.items() if name != "line"}
        source, target, action = record["srcaddr"], record["dstaddr"], record["action"]
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise EventRefused("A flow record is not as AWS writes it.") from error
    uid = hashlib.sha256(record["line"].encode()).hexdigest()
    return Observation(
        source="vpc-flow",
        native_id=uid,
        occurred_at=at,
        log_source=LogSource("firewall", "aws", "vpcflow"),
        fields={name: value for name, value in fields.items() if value != "-"},
        ocsf=ocsf.event(
            ocsf.NETWORK,
            activity=6,
            at=at,
            source="vpc-flow",
            uid=uid,
            product="VPC Flow Logs",
            vendor="AWS",
            outcome="success" if action == "ACCEPT" else "failure",
            src_endpoint=ocsf.endpoint(source, fields.get("srcport")),
            dst_endpoint=ocsf.endpoint(target, fields.get("dstport")),
            connection_info={"protocol_num": _whole(fields.get("protocol")), "direction_id": 0},
            traffic={name: fields[name] for name in ("bytes", "packets") if isinstance(fields.get(name), int)},
        ),
        raw=record["line"].encode(),
        act=f"{action} {record.get('dstport', '')}"[:120],
        outcome="success" if action == "ACCEPT" else "failure",
        address=source[:64],
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def _bytes(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
