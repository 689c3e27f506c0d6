"""One suite for every object store: a folder, S3 on moto (with and without versions), S3 on a real server (rclone)."""

import datetime as dt
import os
import subprocess
import sys
import uuid
from pathlib import Path

import moto
import pytest
from botocore.stub import Stubber

from headshotly.policy import clock
from headshotly.vault import objectstore, s3
from headshotly.vault.errors import ObjectMissing, StoreFull, StoreUnavailable
from headshotly.vault.objectstore import FolderObjectStore
from headshotly.vault.s3 import S3ObjectStore
from headshotly.vendors import aws
from tests import aws_server
from tests import s3_server as real_s3

OWNER, OTHER = uuid.uuid4(), uuid.uuid4()
BUCKET = "sealed"
AGES = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory):
    """A real S3 server on loopback, with keys that it checks."""
    with real_s3.running(tmp_path_factory.mktemp("s3"), BUCKET) as address:
        yield address


@pytest.fixture
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", real_s3.ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", real_s3.SECRET_KEY)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


def mock_client(*, versions: bool):
    client = aws.client("s3", region="eu-central-1")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    if versions:
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture(params=["folder", "moto", "moto with versions", "rclone"])
def store(request, tmp_path, credentials):
    match request.param:
        case "folder":
            yield FolderObjectStore(tmp_path / "objects")
        case "rclone":
            endpoint = request.getfixturevalue("s3_server")
            client = aws.client("s3", region="eu-central-1", endpoint=endpoint, unsafe_plain_http=True)
            yield S3ObjectStore(client, bucket=BUCKET, prefix=f"{uuid.uuid4().hex}/")
        case kind:
            with moto.mock_aws():
                yield S3ObjectStore(mock_client(versions="versions" in kind), bucket=BUCKET)


def test_a_server_of_somebody_else_is_spoken_to_over_tls(credentials, tmp_path, monkeypatch):
    """Over TLS the library would put a checksum behind the body, which rclone, as others, refuses with the body."""
    tls = aws_server.keys_for(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tls[0]))
    (tmp_path / "served").mkdir()
    with real_s3.running(tmp_path / "served", BUCKET, tls=tls) as endpoint:
        store = S3ObjectStore(aws.client("s3", region="eu-central-1", endpoint=endpoint), bucket=BUCKET)
        object_id, large = uuid.uuid4(), b"x" * (9 << 20)
        for body in ([b"one ", b"two"], [large]):
            store.write(OWNER, object_id, body)
            assert read(store, OWNER, object_id) == b"".join(body)
            store.delete(OWNER, object_id)


def read(store, subject, object_id) -> bytes:
    file = store.open(subject, object_id)
    try:
        return bytes(file.view(0, file.size))
    finally:
        file.close()


def later() -> dt.datetime:
    return clock.now() + AGES


def test_an_object_is_kept(store):
    object_id = uuid.uuid4()
    assert store.write(OWNER, object_id, [b"one ", b"two"]) == 7
    assert read(store, OWNER, object_id) == b"one two"
    assert store.holds(OWNER, object_id)
    assert list(store.objects(before=later())) == [(OWNER, object_id)]


def test_an_empty_object_is_kept(store):
    object_id = uuid.uuid4()
    assert store.write(OWNER, object_id, []) == 0
    assert read(store, OWNER, object_id) == b""


def test_pieces_may_use_the_same_memory_again(store):
    """What the sealer does: each piece is valid only until the next."""
    memory = bytearray(1 << 20)

    def pieces():
        for number in range(20):
            memory[:] = bytes([number]) * len(memory)
            yield memoryview(memory)

    object_id = uuid.uuid4()
    assert store.write(OWNER, object_id, pieces()) == 20 << 20
    kept = read(store, OWNER, object_id)
    assert kept == b"".join(bytes([number]) * (1 << 20) for number in range(20))


def test_views_are_exact_wherever_they_lie(store):
    content = os.urandom(9_500_000)
    object_id = uuid.uuid4()
    store.write(OWNER, object_id, [content[:5_000_000], content[5_000_000:]])
    file = store.open(OWNER, object_id)
    assert file.size == len(content)
    for offset, length in [
        (0, 10),
        (10, 100_000),
        (100_010, 1_000_000),
        (9_499_990, 100),
        (5, 5),
        (9_500_000, 5),
        (0, 9_500_000),
    ]:
        assert bytes(file.view(offset, length)) == content[offset : offset + length]
    file.close()


def test_what_is_not_there_is_missing(store):
    with pytest.raises(ObjectMissing):
        store.open(OWNER, uuid.uuid4())
    assert not store.holds(OWNER, uuid.uuid4())
    assert store.remnants(uuid.uuid4()) == []


def test_deleting_twice_is_harmless(store):
    object_id = uuid.uuid4()
    store.write(OWNER, object_id, [b"x"])
    store.delete(OWNER, object_id)
    store.delete(OWNER, object_id)
    assert not store.holds(OWNER, object_id)
    with pytest.raises(ObjectMissing):
        store.open(OWNER, object_id)


@pytest.mark.clause("1.2.c")
def test_everything_of_one_owner_goes_and_nothing_of_another(store):
    mine, theirs = [uuid.uuid4() for _ in range(5)], uuid.uuid4()
    for object_id in mine:
        store.write(OWNER, object_id, [b"mine"])
    store.write(OTHER, theirs, [b"theirs"])
    assert len(store.remnants(OWNER)) == 5
    store.delete_all(OWNER)
    assert store.remnants(OWNER) == []
    assert read(store, OTHER, theirs) == b"theirs"
    store.delete_all(OWNER)


def test_only_what_is_old_enough_is_listed(store):
    store.write(OWNER, uuid.uuid4(), [b"x"])
    assert list(store.objects(before=clock.now() - AGES)) == []


def test_a_source_that_breaks_leaves_nothing(store):
    def pieces():
        yield bytes(9 << 20)
        yield bytes(9 << 20)
        raise RuntimeError("the upload broke off")

    object_id = uuid.uuid4()
    with pytest.raises(RuntimeError):
        store.write(OWNER, object_id, pieces())
    assert not store.holds(OWNER, object_id)
    assert store.remnants(OWNER) == []


@pytest.mark.clause("1.2.c")
def test_older_versions_go_too(credentials):
    with moto.mock_aws():
        client = mock_client(versions=True)
        store = S3ObjectStore(client, bucket=BUCKET)
        object_id = uuid.uuid4()
        store.write(OWNER, object_id, [b"first"])
        store.write(OWNER, object_id, [b"second"])
        client.delete_object(Bucket=BUCKET, Key=store._key(OWNER, object_id))
        # For a careless reader it is gone; two versions and the mark of deletion are still there.
        assert len(store.remnants(OWNER)) == 3
        assert store.holds(OWNER, object_id)
        store.delete(OWNER, object_id)
        assert not store.holds(OWNER, object_id)
        answer = client.list_object_versions(Bucket=BUCKET)
        assert not answer.get("Versions")
        assert not answer.get("DeleteMarkers")


def test_unfinished_uploads_are_seen_swept_and_deleted(credentials):
    with moto.mock_aws():
        client = mock_client(versions=False)
        store = S3ObjectStore(client, bucket=BUCKET)
        for _ in range(2):
            client.create_multipart_upload(Bucket=BUCKET, Key=store._key(OWNER, uuid.uuid4()))
        assert len(store.remnants(OWNER)) == 2
        assert store.sweep(before=clock.now() - dt.timedelta(days=36500)) == 0
        store.delete_all(OWNER)
        assert store.remnants(OWNER) == []
        client.create_multipart_upload(Bucket=BUCKET, Key=store._key(OWNER, uuid.uuid4()))
        assert store.sweep(before=later()) == 1
        assert store.remnants(OWNER) == []


def test_unfinished_files_are_seen_swept_and_deleted(tmp_path):
    store = FolderObjectStore(tmp_path)
    store.write(OWNER, uuid.uuid4(), [b"x"])
    (folder,) = tmp_path.glob("??/*")
    (folder / ".partial-crash").write_bytes(b"half")
    assert len(store.remnants(OWNER)) == 2
    assert store.sweep(before=clock.now() - AGES) == 0
    assert store.sweep(before=later()) == 1
    (folder / ".partial-crash").write_bytes(b"half")
    store.delete_all(OWNER)
    assert store.remnants(OWNER) == []


@pytest.mark.parametrize("when", ["write", "fsync", "replace"])
def test_a_full_disk_is_said_in_words_and_keeps_nothing(tmp_path, monkeypatch, when):
    store = FolderObjectStore(tmp_path)
    object_id = uuid.uuid4()

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        match when:
            case "write":
                patch.setattr(os, "fdopen", full)
            case "fsync":
                patch.setattr(os, "fsync", full)
            case "replace":
                patch.setattr(Path, "replace", full)
        with pytest.raises(StoreFull, match="no storage space"):
            store.write(OWNER, object_id, [b"x" * 100])
    assert not store.holds(OWNER, object_id)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_system_refuses_to_write_more(tmp_path):
    """Not a mock: a process that may write 64 KiB to a file."""
    mounted = tmp_path / "small"
    limit = f"ulimit -f 64; exec {sys.executable} -c"
    script = (
        "import signal,sys,uuid;signal.signal(signal.SIGXFSZ,signal.SIG_IGN);"
        "from pathlib import Path;from headshotly.vault.objectstore import FolderObjectStore;"
        "from headshotly.vault.errors import StoreFull;s=FolderObjectStore(Path(sys.argv[1]));o=uuid.uuid4();\n"
        "try: s.write(o,o,[bytes(1<<20)])\n"
        "except StoreFull: print('full', s.remnants(o))"
    )
    done = subprocess.run(
        ["bash", "-c", f'{limit} "$0" {mounted}', script], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "full []", done.stderr


def test_an_unreachable_store_is_said_in_words(credentials):
    client = aws.client("s3", region="eu-central-1", endpoint="https://127.0.0.1:9")
    store = S3ObjectStore(client, bucket=BUCKET)
    object_id = uuid.uuid4()
    with pytest.raises(StoreUnavailable, match="could not be reached"):
        store.write(OWNER, object_id, [b"x"])
    with pytest.raises(StoreUnavailable):
        store.open(OWNER, object_id)
    with pytest.raises(StoreUnavailable):
        store.delete_all(OWNER)


def test_a_wrong_secret_is_refused_by_the_server(s3_server, credentials, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    client = aws.client("s3", region="eu-central-1", endpoint=s3_server, unsafe_plain_http=True)
    with pytest.raises(StoreUnavailable):
        S3ObjectStore(client, bucket=BUCKET).write(OWNER, uuid.uuid4(), [b"x"])


def test_s3_that_deletes_only_some_is_noticed(credentials, monkeypatch):
    with moto.mock_aws():
        client = mock_client(versions=False)
        store = S3ObjectStore(client, bucket=BUCKET)
        store.write(OWNER, uuid.uuid4(), [b"x"])
        monkeypatch.setattr(client, "delete_objects", lambda **_: {"Errors": [{"Key": "k", "Code": "AccessDenied"}]})
        with pytest.raises(StoreUnavailable, match="could not delete"):
            store.delete_all(OWNER)


def test_an_exchanged_object_is_not_read_on(credentials):
    with moto.mock_aws():
        client = mock_client(versions=False)
        store = S3ObjectStore(client, bucket=BUCKET)
        object_id = uuid.uuid4()
        store.write(OWNER, object_id, [bytes(200_000)])
        file = store.open(OWNER, object_id)
        file.view(0, 10)
        client.put_object(Bucket=BUCKET, Key=store._key(OWNER, object_id), Body=b"y" * 200_000)
        with pytest.raises(StoreUnavailable):
            file.view(150_000, 10)


def test_a_bucket_must_be_named():
    with pytest.raises(ValueError, match="bucket"):
        S3ObjectStore(None, bucket="")


def test_reading_fails_in_words(tmp_path, monkeypatch):
    store = FolderObjectStore(tmp_path)
    object_id = uuid.uuid4()
    store.write(OWNER, object_id, [b"x"])
    file = store.open(OWNER, object_id)
    monkeypatch.setattr(objectstore.os, "preadv", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(StoreUnavailable):
        file.view(0, 1)


def test_parts_are_large_enough_for_s3():
    parts = list(s3._parts([bytes(1 << 20)] * 20))
    assert [len(part) >> 20 for part in parts] == [8, 8, 4]
    assert list(s3._parts([])) == [b""]


@pytest.mark.parametrize("code", ["QuotaExceeded", "507", "XMinioStorageFull"])
def test_a_full_bucket_is_said_in_words(credentials, code):
    client = aws.client("s3", region="eu-central-1")
    with Stubber(client) as answers:
        answers.add_client_error("put_object", service_error_code=code)
        with pytest.raises(StoreFull, match="no storage space"):
            S3ObjectStore(client, bucket=BUCKET).write(OWNER, uuid.uuid4(), [b"x"])


@pytest.mark.parametrize("parts", [1, 2])
def test_an_upload_that_happened_and_reported_failure_is_swept(credentials, monkeypatch, parts):
    """The connection breaks after S3 took everything: we say no, and the orphan is found."""
    with moto.mock_aws():
        client = mock_client(versions=False)
        store = S3ObjectStore(client, bucket=BUCKET)
        verb = "put_object" if parts == 1 else "complete_multipart_upload"
        real = getattr(client, verb)

        def broken(**arguments):
            real(**arguments)
            raise aws.BotoCoreError

        monkeypatch.setattr(client, verb, broken)
        object_id = uuid.uuid4()
        with pytest.raises(StoreUnavailable):
            store.write(OWNER, object_id, [bytes(9 << 20)] * parts)
        assert list(store.objects(before=later())) == [(OWNER, object_id)]
        store.delete(OWNER, object_id)
        assert store.remnants(OWNER) == []
