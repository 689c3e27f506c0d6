"""Chooses the backup stores, and refuses fewer than two regions of the Union (clause 6.1.b)."""

import re
from functools import cache
from pathlib import Path

from headshotly.continuity.errors import PlacesRefused
from headshotly.continuity.stores import FolderMirror, FolderRepository, Store
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.vault.embedded_keys import EmbeddedKeyService
from headshotly.vault.keyservice import KeyService
from headshotly.vendors.regions import EU_REGIONS

_SPECIFICATION = re.compile(r"(?P<kind>folder|s3):(?P<place>[^@|]+)(?:\|(?P<mirror>[^@|]+))?@(?P<region>[a-z0-9-]+)")
LEAST = 2


def _option(name: str, default: str = "") -> str:
    return configuration.current().options.get(name, default)


def specified() -> list[str]:
    """Return the stores as written in the configuration; two folders beside the data folder where none are."""
    written = [part.strip() for part in _option("backup.stores").split(",") if part.strip()]
    here = configuration.current()
    if written or here.environment == "production":
        return written
    beside = here.data_folder.parent / "backups"
    return [f"folder:{beside / 'frankfurt'}@eu-central-1", f"folder:{beside / 'stockholm'}@eu-north-1"]


@enforces("6.1.b", "2.2")
def stores() -> tuple[Store, ...]:
    """Return the backup stores of this installation.

    Option ``backup.stores``: ``folder:PATH@REGION`` or ``s3:BUCKET|MIRROR-BUCKET@REGION``, separated by commas;
    ``backup.endpoint`` names a server that speaks S3 and is not AWS.

    Raises:
        PlacesRefused: there are fewer than two regions, one lies outside the Union, or two folders share a disk
            in production.
    """
    made = _made(tuple(specified()), _option("backup.endpoint"))
    if configuration.current().environment == "production":
        _require_disks_of_their_own(made)
    return made


@cache
def _made(written: tuple[str, ...], endpoint: str) -> tuple[Store, ...]:
    found = [_SPECIFICATION.fullmatch(one) for one in written]
    for one, text in zip(found, written, strict=True):
        if one is None:
            raise PlacesRefused(
                f"“{text}” names no backup store; write folder:PATH@REGION or s3:BUCKET|MIRROR-BUCKET@REGION."
            )
        if one["region"] not in EU_REGIONS:
            raise PlacesRefused(f"“{one['region']}” is not a region in the European Union, so no backup goes there.")
    regions = {one["region"] for one in found if one}
    if len(regions) < LEAST or len(regions) < len(found):
        raise PlacesRefused(
            "Backups are kept in two different regions of the European Union or more, each with one store; "
            "name them in HEADSHOTLY_OPTION_BACKUP__STORES."
        )
    return tuple(_make(one, endpoint) for one in found if one)


def _make(one: re.Match[str], endpoint: str) -> Store:
    place, region = one["place"], one["region"]
    if one["kind"] == "folder":
        folder = Path(place)
        mirror = Path(one["mirror"]) if one["mirror"] else folder / "mirror"
        return Store(region, region, str(folder), FolderRepository(folder / "repository"), FolderMirror(mirror))
    if not one["mirror"]:
        raise PlacesRefused(f"Name a second bucket, without versions, for the keys: s3:{place}|MIRROR-BUCKET@{region}.")
    return _make_s3(place, one["mirror"], region, endpoint)


def _make_s3(bucket: str, mirror: str, region: str, endpoint: str) -> Store:
    # Loaded only where AWS is used: boto3 is slow to import.
    from headshotly.continuity.s3_store import S3Mirror, S3Repository  # noqa: PLC0415
    from headshotly.vendors import aws  # noqa: PLC0415

    client = aws.client("s3", region=region, endpoint=endpoint)
    return Store(
        region,
        region,
        f"s3://{bucket}",
        S3Repository(client, bucket=bucket),
        S3Mirror(client, bucket=mirror),
    )


def _require_disks_of_their_own(made: tuple[Store, ...]) -> None:
    """Refuse two folders on one disk: a region is more than a word in the configuration."""
    folders = [Path(store.where) for store in made if not store.where.startswith("s3://")]
    devices = [next(place for place in (one, *one.parents) if place.exists()).stat().st_dev for one in folders]
    if len(set(devices)) < len(devices):
        raise PlacesRefused("Two backup stores lie on the same disk; put them in places that do not burn together.")


@cache
def key_service() -> KeyService:
    """Return the key service of the backups: a root key of their own, apart from the customers'.

    Options: ``backup.keys_folder`` (embedded); ``backup.key_alias`` (aws-kms). Where there is a passphrase for the
    vault's root keys, it seals these too.

    Raises:
        ValueError: the configuration names one that does not exist, or a region outside the Union.
    """
    here = configuration.current()
    match here.key_service:
        case "embedded":
            folder = Path(_option("backup.keys_folder") or _option("kms.folder") or here.data_folder)
            passphrase = _option("kms.passphrase_file")
            return EmbeddedKeyService(
                folder / "backup-root-keys.json", passphrase_file=Path(passphrase) if passphrase else None
            )
        case "aws-kms":
            from headshotly.vault import aws_keys  # noqa: PLC0415 - as above
            from headshotly.vendors import aws  # noqa: PLC0415 - as above

            client = aws.client("kms", region=_option("kms.region", "eu-central-1"), endpoint=_option("kms.endpoint"))
            return aws_keys.AwsKeyService(client, alias=_option("backup.key_alias", "alias/headshotly-backup"))
        case other:
            raise ValueError(f"there is no key service “{other}”; choose embedded or aws-kms")


def rewire() -> None:
    """Forget the stores and the key service, so that the next use builds them anew from the configuration."""
    _made.cache_clear()
    key_service.cache_clear()
