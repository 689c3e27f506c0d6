"""Which engines an installation gets, and that a wrong choice is refused at once."""

import uuid
from pathlib import Path

import pytest

from headshotly.vault import wiring
from headshotly.vault.aws_keys import AwsKeyService
from headshotly.vault.keystore import DatabaseKeyStore, FolderKeyStore
from headshotly.vault.objectstore import FolderObjectStore
from headshotly.vault.s3 import S3ObjectStore


def test_the_defaults_are_folders_and_a_file(vault):
    assert isinstance(wiring.key_store(), FolderKeyStore)
    assert isinstance(wiring.object_store(), FolderObjectStore)
    assert wiring.key_service() is wiring.key_service()


def test_amazon_can_be_chosen(configure):
    configure(key_service="aws-kms", object_store="s3", key_store="database", options={"s3.bucket": "b"})
    assert isinstance(wiring.key_service(), AwsKeyService)
    assert isinstance(wiring.object_store(), S3ObjectStore)
    assert isinstance(wiring.key_store(), DatabaseKeyStore)


@pytest.mark.parametrize("engine", ["key_service", "key_store", "object_store"])
def test_an_unknown_engine_is_refused(engine, configure):
    configure(**{engine: "magic"})
    with pytest.raises(ValueError, match="magic"):
        getattr(wiring, engine)()


@pytest.mark.clause("2.2")
@pytest.mark.parametrize(
    ("engine", "choice", "option"), [("key_service", "aws-kms", "kms.region"), ("object_store", "s3", "s3.region")]
)
def test_a_region_outside_the_union_is_refused(engine, choice, option, configure):
    configure(**{engine: choice}, options={option: "us-east-1", "s3.bucket": "b"})
    with pytest.raises(ValueError, match="European Union"):
        getattr(wiring, engine)()


def test_folders_can_lie_elsewhere(configure, tmp_path):
    here = tmp_path / "elsewhere"
    configure(options={"keys.mirror": str(here / "mirror"), "kms.folder": str(here / "kms")})
    key_id = uuid.uuid4()
    wiring.key_store().add(key_id, wiring.key_service().wrap(bytes(32), {}))
    assert len(list((here / "mirror").rglob("*.key"))) == 1
    assert Path(here / "kms" / "root-keys.json").exists()
