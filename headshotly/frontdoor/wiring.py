"""Hands lower rooms what they may not reach for themselves."""

from headshotly.audit import witnesses
from headshotly.policy import configuration


def _s3_witness() -> witnesses.Witness:
    # Loaded only where it is used: boto3 is slow to import.
    from headshotly.audit.s3_witness import S3Witness  # noqa: PLC0415
    from headshotly.vault import aws  # noqa: PLC0415

    options = configuration.current().options
    client = aws.client(
        "s3",
        region=options.get("witness.region", "eu-north-1"),
        endpoint=options.get("witness.endpoint", ""),
    )
    return S3Witness(client, bucket=options["witness.bucket"], days=int(options.get("witness.days", "3650")))


def wire() -> None:
    """Choose the journal's witness: a bucket with object lock where one is named, else a folder.

    Options: ``witness.bucket``, ``witness.region``, ``witness.endpoint``, ``witness.days``; ``witness.folder``.
    """
    if configuration.current().options.get("witness.bucket"):
        witnesses.use(_s3_witness)
