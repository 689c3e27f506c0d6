"""One suite for every backup store: folders, S3 on moto with and without object lock, S3 on a real server (rclone)."""

import datetime as dt
import os
import uuid

import moto
import pytest
from botocore.exceptions import ClientError

from headshotly.continuity.errors import PlacesRefused
from headshotly.continuity.s3_store import S3Mirror, S3Repository
from headshotly.continuity.stores import FolderMirror, FolderRepository
from headshotly.policy import clock
from headshotly.vault.errors import ObjectMissing, StoreUnavailable
from headshotly.vendors import aws
from tests import s3_server as real_s3

BUCKET, MIRROR = "copies", "mirror"
SOON = dt.timedelta(days=3)


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory):
    """A real S3 server on loopback, with keys that it checks."""
    with real_s3.running(tmp_path_factory.mktemp("s3"), BUCKET, MIRROR) as address:
        yield address


@pytest.fixture
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", real_s3.ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", real_s3.SECRET_KEY)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


def emulated(*, lock: bool):
    client = aws.client("s3", region="eu-central-1")
    place = {"CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}
    client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=lock, **place)
    client.create_bucket(Bucket=MIRROR, **place)
    return client


@pytest.fixture(params=["folder", "moto", "moto with lock", "rclone"])
def pair(request, tmp_path, credentials):
    """A repository and a mirror."""
    match request.param:
        case "folder":
            yield FolderRepository(tmp_path / "repository"), FolderMirror(tmp_path / "mirror")
        case "rclone":
            endpoint = request.getfixturevalue("s3_server")
            client = aws.client("s3", region="eu-central-1", endpoint=endpoint, unsafe_plain_http=True)
            prefix = f"{uuid.uuid4().hex}/"
            yield S3Repository(client, bucket=BUCKET, prefix=prefix), S3Mirror(client, bucket=MIRROR, prefix=prefix)
        case kind:
            with moto.mock_aws():
                client = emulated(lock="lock" in kind)
                yield S3Repository(client, bucket=BUCKET), S3Mirror(client, bucket=MIRROR)


@pytest.fixture
def repository(pair):
    return pair[0]


@pytest.fixture
def mirror(pair):
    return pair[1]


def until() -> dt.datetime:
    return clock.now() + SOON


def test_what_is_put_is_read_listed_and_replaced(repository):
    content = os.urandom(3_000_000)
    assert repository.put("blobs/ab/abc", iter([content[:10], content[10:]]), until=until()) == len(content)
    assert b"".join(repository.read("blobs/ab/abc")) == content
    repository.put("manifests/1.json", iter([b"{}"]), until=until())
    kept = {one.name: one.size for one in repository.kept("blobs/")}
    assert kept == {"blobs/ab/abc": len(content)}
    assert {one.name for one in repository.kept("manifests/")} == {"manifests/1.json"}
    assert all(abs(one.written_at - clock.now()) < dt.timedelta(minutes=5) for one in repository.kept("blobs/"))
    repository.put("blobs/ab/abc", iter([b"again"]), until=until())
    assert b"".join(repository.read("blobs/ab/abc")) == b"again"


def test_a_large_blob_goes_in_parts(repository):
    piece = os.urandom(1 << 20)
    assert repository.put("blobs/cd/large", (piece for _ in range(19)), until=until()) == 19 << 20
    assert b"".join(repository.read("blobs/cd/large")) == piece * 19


def test_what_is_not_there_is_missing(repository):
    with pytest.raises(ObjectMissing):
        list(repository.read("blobs/ab/nothing"))
    assert list(repository.kept("blobs/")) == []


def test_removal_or_the_lock_that_forbids_it(repository):
    repository.put("blobs/ab/abc", iter([b"x"]), until=until())
    repository.hold("blobs/ab/abc", until() + SOON)
    gone = repository.remove("blobs/ab/abc")
    assert gone is not repository.locks
    assert bool(list(repository.kept("blobs/"))) is repository.locks
    if not repository.locks:
        assert repository.remove("blobs/ab/abc") is True


def test_a_lock_holds_to_its_later_date(credentials):
    with moto.mock_aws():
        client = emulated(lock=True)
        repository = S3Repository(client, bucket=BUCKET)
        assert repository.locks
        repository.put("blobs/ab/abc", iter([b"x"]), until=until())
        repository.hold("blobs/ab/abc", until() + SOON)
        held = client.head_object(Bucket=BUCKET, Key="blobs/ab/abc")
        assert held["ObjectLockMode"] == "COMPLIANCE"
        assert held["ObjectLockRetainUntilDate"] > until()


def test_the_mirror_keeps_only_what_is_there_now(mirror):
    mirror.put("keys/ab/one.key", b"first")
    mirror.put("keys/ab/one.key", b"second")
    mirror.put("erasures.txt", b"nobody")
    assert mirror.get("keys/ab/one.key") == b"second"
    assert list(mirror.names("keys/")) == ["keys/ab/one.key"]
    mirror.remove("keys/ab/one.key")
    mirror.remove("keys/ab/one.key")
    assert mirror.get("keys/ab/one.key") is None
    assert list(mirror.names("keys/")) == []


def test_a_mirror_that_keeps_versions_is_refused(credentials):
    with moto.mock_aws():
        client = emulated(lock=False)
        client.put_bucket_versioning(Bucket=MIRROR, VersioningConfiguration={"Status": "Enabled"})
        with pytest.raises(PlacesRefused, match="destroyed keys would stay"):
            S3Mirror(client, bucket=MIRROR)


def test_wrong_credentials_and_a_wrong_clock_are_said(credentials, s3_server, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    client = aws.client("s3", region="eu-central-1", endpoint=s3_server, unsafe_plain_http=True)
    repository = S3Repository(client, bucket=BUCKET)
    with pytest.raises(StoreUnavailable):
        list(repository.kept("blobs/"))
    error = ClientError({"Error": {"Code": "RequestTimeTooSkewed"}}, "ListObjectsV2")

    class Skewed:
        def get_paginator(self, _name):
            raise error

    with pytest.raises(StoreUnavailable, match="this machine's clock is wrong"):
        list(S3Repository(Skewed(), bucket=BUCKET).kept("blobs/"))


def test_an_unreachable_server_is_said(credentials):
    client = aws.client("s3", region="eu-central-1", endpoint="http://127.0.0.1:9", unsafe_plain_http=True)
    with pytest.raises(StoreUnavailable):
        S3Repository(client, bucket=BUCKET).put("blobs/ab/abc", iter([b"x"]), until=until())


def test_unfinished_writes_are_swept(tmp_path, credentials):
    folder = tmp_path / "repository" / "blobs" / "ab"
    folder.mkdir(parents=True)
    (folder / ".partial-1234").write_bytes(b"half")
    repository = FolderRepository(tmp_path / "repository")
    assert list(repository.kept("blobs/")) == []
    assert repository.sweep(before=clock.now() - SOON) == 0
    assert repository.sweep(before=clock.now() + SOON) == 1
    with moto.mock_aws():
        client = emulated(lock=False)
        client.create_multipart_upload(Bucket=BUCKET, Key="blobs/ab/half")
        assert S3Repository(client, bucket=BUCKET).sweep(before=clock.now() + SOON) == 1
