"""One suite for every witness: it keeps heads, gives them back, and never replaces one."""

import os
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from headshotly.audit import witnesses
from headshotly.audit.errors import JournalDamaged
from headshotly.audit.s3_witness import S3Witness
from headshotly.audit.witnesses import FolderWitness
from headshotly.frontdoor import wiring

_BUCKET = "witness"


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="eu-north-1")
        client.create_bucket(
            Bucket=_BUCKET,
            CreateBucketConfiguration={"LocationConstraint": "eu-north-1"},
            ObjectLockEnabledForBucket=True,
        )
        yield client


@pytest.fixture(params=["folder", "s3"])
def witness(request, tmp_path):
    if request.param == "folder":
        return FolderWitness(tmp_path / "witness")
    return S3Witness(request.getfixturevalue("s3"), bucket=_BUCKET, days=30)


def test_heads_come_back_in_order_of_size(witness):
    for size in (10, 2, 300):
        witness.keep(size, f"note of {size}\n")
    assert witness.notes() == ["note of 2\n", "note of 10\n", "note of 300\n"]


def test_a_new_witness_holds_nothing(witness):
    assert witness.notes() == []


def test_the_same_head_may_be_handed_over_again(witness):
    for _ in range(2):
        witness.keep(3, "note\n")
    assert witness.notes() == ["note\n"]


@pytest.mark.clause("5.3.a")
def test_another_head_of_the_same_size_is_a_fork(witness):
    witness.keep(3, "note\n")
    with pytest.raises(JournalDamaged, match="forked: the witness holds another head over 3 entries"):
        witness.keep(3, "other note\n")
    assert witness.notes() == ["note\n"]


@pytest.mark.clause("5.3.a")
def test_a_kept_head_cannot_be_deleted_from_the_bucket(s3):
    S3Witness(s3, bucket=_BUCKET, days=30).keep(3, "note\n")
    [version] = s3.list_object_versions(Bucket=_BUCKET)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=_BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    assert s3.head_object(Bucket=_BUCKET, Key=version["Key"])["ObjectLockMode"] == "COMPLIANCE"


@pytest.mark.clause("5.3.a")
def test_neither_a_deletion_marker_nor_a_later_version_hides_a_head(s3):
    witness = S3Witness(s3, bucket=_BUCKET, days=30)
    witness.keep(3, "note\n")
    witness.keep(4, "next\n")
    [one, _] = sorted(version["Key"] for version in s3.list_object_versions(Bucket=_BUCKET)["Versions"])
    s3.put_object(Bucket=_BUCKET, Key=one, Body=b"other\n")
    s3.delete_object(Bucket=_BUCKET, Key=one)
    assert sorted(witness.notes()) == ["next\n", "note\n", "other\n"]


def test_a_bucket_that_is_not_there_is_an_error_the_sequencer_survives(s3):
    with pytest.raises(OSError, match="did not keep the head over 3"):
        S3Witness(s3, bucket="elsewhere", days=30).keep(3, "note\n")


def test_a_folder_keeps_read_only_files(tmp_path):
    FolderWitness(tmp_path).keep(3, "note\n")
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o400
    assert path.stat().st_uid == os.geteuid()


def test_the_front_door_wires_the_bucket_named_in_the_configuration(s3, settings):
    options = {"witness.bucket": _BUCKET, "witness.days": "7"}
    settings.HEADSHOTLY = replace(settings.HEADSHOTLY, options=options)
    wiring.wire()
    try:
        witnesses.witness().keep(3, "note\n")
        assert witnesses.witness().notes() == ["note\n"]
        assert isinstance(witnesses.witness(), S3Witness)
    finally:
        witnesses.use_folder()
