"""Chooses the vault's engines from the configuration, once a process."""

from functools import cache
from pathlib import Path

from headshotly.policy import configuration
from headshotly.vault.destructions import DestructionLedger
from headshotly.vault.embedded_keys import EmbeddedKeyService
from headshotly.vault.erasures import ErasureLedger
from headshotly.vault.keyservice import KeyService
from headshotly.vault.keystore import DatabaseKeyStore, FolderKeyStore, KeyStore
from headshotly.vault.objectstore import FolderObjectStore, ObjectStore

_REGION = "eu-central-1"


def _option(name: str, default: str = "") -> str:
    return configuration.current().options.get(name, default)


def _folder(option: str, default: str) -> Path:
    chosen = _option(option)
    return Path(chosen) if chosen else configuration.current().data_folder / default


@cache
def key_service() -> KeyService:
    """Return the key service of this installation.

    Options: ``kms.passphrase_file`` (embedded); ``kms.region``, ``kms.endpoint``, ``kms.alias`` (aws-kms).

    Raises:
        ValueError: the configuration names one that does not exist, or a region outside the Union.
    """
    match configuration.current().key_service:
        case "embedded":
            passphrase = _option("kms.passphrase_file")
            return EmbeddedKeyService(
                _folder("kms.folder", "") / "root-keys.json",
                passphrase_file=Path(passphrase) if passphrase else None,
            )
        case "aws-kms":
            # Loaded only where AWS is used: boto3 is slow to import.
            from headshotly.vault import aws_keys  # noqa: PLC0415
            from headshotly.vendors import aws  # noqa: PLC0415

            client = aws.client("kms", region=_option("kms.region", _REGION), endpoint=_option("kms.endpoint"))
            return aws_keys.AwsKeyService(client, alias=_option("kms.alias", "alias/headshotly"))
        case other:
            raise ValueError(f"there is no key service “{other}”; choose embedded or aws-kms")


@cache
def key_store() -> KeyStore:
    """Return the key store of this installation.

    Options: ``keys.folder``, ``keys.mirror`` (folder): put the mirror on another disk.

    Raises:
        ValueError: the configuration names one that does not exist.
    """
    match configuration.current().key_store:
        case "folder":
            return FolderKeyStore(
                {"keys": _folder("keys.folder", "keys"), "keys-mirror": _folder("keys.mirror", "keys-mirror")}
            )
        case "database":
            return DatabaseKeyStore()
        case other:
            raise ValueError(f"there is no key store “{other}”; choose folder or database")


@cache
def object_store() -> ObjectStore:
    """Return the object store of this installation.

    Options: ``objects.folder`` (folder); ``s3.bucket``, ``s3.region``, ``s3.endpoint``, ``s3.prefix`` (s3).

    Raises:
        ValueError: the configuration names one that does not exist, or a region outside the Union.
    """
    match configuration.current().object_store:
        case "folder":
            return FolderObjectStore(_folder("objects.folder", "objects"))
        case "s3":
            from headshotly.vault import s3  # noqa: PLC0415 - as above
            from headshotly.vendors import aws  # noqa: PLC0415 - as above

            client = aws.client("s3", region=_option("s3.region", _REGION), endpoint=_option("s3.endpoint"))
            store: ObjectStore = s3.S3ObjectStore(
                client, bucket=_option("s3.bucket"), prefix=_option("s3.prefix", "objects/")
            )
            return store
        case other:
            raise ValueError(f"there is no object store “{other}”; choose folder or s3")


@cache
def erasure_ledger() -> ErasureLedger:
    """Return the ledger of erased subjects.

    Options: ``erasures.folder``, ``erasures.mirror``: put the mirror where no backup of the first can overwrite it.
    """
    return ErasureLedger(
        _folder("erasures.folder", "erasures") / "ledger.txt",
        _folder("erasures.mirror", "erasures-mirror") / "ledger.txt",
    )


@cache
def destruction_ledger() -> DestructionLedger:
    """Return the ledger of objects destroyed one by one; it lies in folders beside the erased subjects'."""
    return DestructionLedger(
        _folder("erasures.folder", "erasures") / "objects", _folder("erasures.mirror", "erasures-mirror") / "objects"
    )


def rewire() -> None:
    """Forget the engines, so that the next use builds them anew from the configuration."""
    for engine in (key_service, key_store, object_store, erasure_ledger, destruction_ledger):
        engine.cache_clear()
