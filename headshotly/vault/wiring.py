"""Chooses the vault's engines from the configuration, once a process."""

from functools import cache

from headshotly.policy import configuration
from headshotly.vault.keyservice import EmbeddedKeyService, KeyService
from headshotly.vault.keystore import DatabaseKeyStore, FolderKeyStore, KeyStore
from headshotly.vault.objectstore import FolderObjectStore, ObjectStore


@cache
def key_service() -> KeyService:
    """Return the key service of this installation.

    Raises:
        ValueError: the configuration names one that does not exist.
    """
    here = configuration.current()
    match here.key_service:
        case "embedded":
            return EmbeddedKeyService(here.data_folder / "root-keys.json")
        case other:
            raise ValueError(f"there is no key service “{other}”; choose embedded")


@cache
def key_store() -> KeyStore:
    """Return the key store of this installation.

    Raises:
        ValueError: the configuration names one that does not exist.
    """
    here = configuration.current()
    match here.key_store:
        case "folder":
            return FolderKeyStore({"keys": here.data_folder / "keys", "keys-mirror": here.data_folder / "keys-mirror"})
        case "database":
            return DatabaseKeyStore()
        case other:
            raise ValueError(f"there is no key store “{other}”; choose folder or database")


@cache
def object_store() -> ObjectStore:
    """Return the object store of this installation.

    Raises:
        ValueError: the configuration names one that does not exist.
    """
    here = configuration.current()
    match here.object_store:
        case "folder":
            return FolderObjectStore(here.data_folder / "objects")
        case other:
            raise ValueError(f"there is no object store “{other}”; choose folder")
