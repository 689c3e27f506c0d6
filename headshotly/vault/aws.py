"""The one place that talks to AWS: clients for KMS and S3, in European Union regions only (clause 2.2)."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from headshotly.policy.enforcement import enforces
from headshotly.vault.regions import EU_REGIONS

__all__ = ["EU_REGIONS", "BotoCoreError", "ClientError", "client", "error_code"]


@enforces("2.2", "3.1.a")
def client(service: str, *, region: str, endpoint: str = "", unsafe_plain_http: bool = False) -> Any:
    """Return a client of one AWS service.

    Args:
        service: ``kms`` or ``s3``.
        region: must lie in the European Union.
        endpoint: address of a compatible service; empty for AWS itself.
        unsafe_plain_http: let the endpoint be reached without TLS, for a test server on this machine.

    Raises:
        ValueError: the region lies outside the Union, or the endpoint is not https.
    """
    if region not in EU_REGIONS:
        raise ValueError(f"“{region}” is not a region in the European Union; choose one of {sorted(EU_REGIONS)}")
    if endpoint and not (endpoint.startswith("https://") or unsafe_plain_http):
        raise ValueError("the endpoint of a store must begin with https://")
    settings = Config(
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "max_attempts": 3},
        # What is read authenticates itself; and some servers send the whole object's checksum with a part of it.
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    # A session of its own: boto3's shared one keeps the credentials it found first.
    session = boto3.session.Session()
    return session.client(service, region_name=region, endpoint_url=endpoint or None, config=settings)


def error_code(error: ClientError) -> str:
    """Return the service's short name for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))
