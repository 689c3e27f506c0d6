"""The one place that talks to AWS: clients of its services, in European Union regions only, each call through the gate.

Clauses 2.2 and 9.1.b. What a service receives is declared here; the gate refuses what the agreement does not cover.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from headshotly.policy.enforcement import enforces
from headshotly.vendors import categories, gate, way_out
from headshotly.vendors.regions import EU_REGIONS

__all__ = ["BotoCoreError", "ClientError", "client", "database_password", "error_code"]

_CARRIES = {
    "s3": (categories.SEALED_OBJECTS,),
    "kms": (categories.WRAPPED_KEYS,),
    "sesv2": (categories.ADDRESSES,),
    "sqs": (categories.PSEUDONYMS,),
}


@enforces("2.2", "3.1.a", "9.1.b")
def client(service: str, *, region: str, endpoint: str = "", unsafe_plain_http: bool = False) -> Any:
    """Return a client of one AWS service; every call asks the gate before it leaves.

    Args:
        service: ``kms``, ``s3``, ``sesv2`` or ``sqs``.
        region: must lie in the European Union.
        endpoint: address of a compatible service; empty for AWS itself.
        unsafe_plain_http: let the endpoint be reached without TLS, for a test server on this machine.

    Raises:
        ValueError: the region lies outside the Union, the endpoint is not https, or nobody declared what the service
            receives.
    """
    if region not in EU_REGIONS:
        raise ValueError(f"“{region}” is not a region in the European Union; choose one of {sorted(EU_REGIONS)}")
    if service not in _CARRIES:
        raise ValueError(f"nobody declared what kinds of data the service “{service}” receives")
    if endpoint and not (endpoint.startswith("https://") or unsafe_plain_http):
        raise ValueError("the endpoint of a store must begin with https://")
    settings = Config(
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "max_attempts": 3},
        # What is read authenticates itself; and some servers send the whole object's checksum with a part of it.
        response_checksum_validation="when_required",
        # AWS takes a checksum behind the body; of the other servers over TLS not all do, and refuse whatever is sent.
        request_checksum_calculation="when_required" if endpoint else "when_supported",
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    # A session of its own: boto3's shared one keeps the credentials it found first.
    session = boto3.session.Session()
    made = session.client(service, region_name=region, endpoint_url=endpoint or None, config=settings)
    if urlsplit(endpoint).hostname not in way_out.LOOPBACK:
        made.meta.events.register_first(f"before-send.{service}", _asks_the_gate(_CARRIES[service]))
    return made


@enforces("2.2", "2.4.c")
def database_password(*, host: str, port: int, user: str, region: str) -> str:
    """Return a password for one database role, signed here with the credentials of this task; nothing is sent.

    Args:
        host: of the database, as the connection will name it.
        port: its port.
        user: the database role.
        region: must lie in the European Union.

    Returns:
        A password that the database takes for fifteen minutes (RDS, “IAM database authentication”).

    Raises:
        ValueError: the region lies outside the Union.
        OSError: this machine has no credentials of AWS.
    """
    if region not in EU_REGIONS:
        raise ValueError(f"“{region}” is not a region in the European Union; choose one of {sorted(EU_REGIONS)}")
    try:
        rds = boto3.session.Session().client("rds", region_name=region)
        return str(rds.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user, Region=region))
    except BotoCoreError as error:
        raise OSError(f"no credentials of AWS to sign in to the database with ({type(error).__name__})") from error


def _asks_the_gate(carries: tuple[str, ...]) -> Callable[..., None]:
    def ask(request: Any, **_: Any) -> None:
        gate.require(urlsplit(request.url).hostname or "", carries=carries, routine=True, cannot_wait=True)

    return ask


def error_code(error: ClientError) -> str:
    """Return the service's short name for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))
