"""One suite for every key service: embedded with and without a passphrase, AWS KMS on moto and on the strict fake."""

import json
import stat
import threading
from pathlib import Path

import boto3
import moto
import pytest

from headshotly.vault.aws_keys import AwsKeyService
from headshotly.vault.embedded_keys import EmbeddedKeyService
from headshotly.vault.errors import KeyServiceUnavailable
from headshotly.vendors import aws
from tests.vault.strict_kms import StrictKms

CONTEXT = {"subject": "a", "use": "test"}
KEY = bytes(range(32))


@pytest.fixture
def aws_credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text("correct horse battery staple\n")
    return path


@pytest.fixture(params=["embedded", "embedded with passphrase", "aws on moto", "aws, strict"])
def service(request, tmp_path, aws_credentials, passphrase):
    match request.param:
        case "embedded":
            yield EmbeddedKeyService(tmp_path / "root-keys.json")
        case "embedded with passphrase":
            yield EmbeddedKeyService(tmp_path / "root-keys.json", passphrase_file=passphrase)
        case "aws on moto":
            with moto.mock_aws():
                yield AwsKeyService(aws.client("kms", region="eu-central-1"))
        case "aws, strict":
            yield AwsKeyService(StrictKms())


@pytest.fixture(params=["embedded", "embedded with passphrase", "aws, strict"])
def strict_service(request, tmp_path, passphrase):
    """Those that behave as production does; moto is missing because it decrypts with a key that is to be deleted."""
    match request.param:
        case "embedded":
            return EmbeddedKeyService(tmp_path / "root-keys.json")
        case "embedded with passphrase":
            return EmbeddedKeyService(tmp_path / "root-keys.json", passphrase_file=passphrase)
        case _:
            return AwsKeyService(StrictKms())


@pytest.mark.clause("3.2.b")
def test_what_is_wrapped_unwraps(service):
    blob = service.wrap(KEY, CONTEXT)
    assert KEY not in blob
    assert service.unwrap(blob, dict(reversed(CONTEXT.items()))) == KEY


def test_wrapping_twice_gives_two_blobs(service):
    assert service.wrap(KEY, CONTEXT) != service.wrap(KEY, CONTEXT)


@pytest.mark.parametrize("context", [{"subject": "b", "use": "test"}, {"subject": "a"}, {}, {**CONTEXT, "more": "x"}])
def test_another_context_is_refused(service, context):
    blob = service.wrap(KEY, CONTEXT)
    with pytest.raises(KeyServiceUnavailable):
        service.unwrap(blob, context)


def test_a_changed_blob_is_refused(service):
    blob = service.wrap(KEY, CONTEXT)
    for position in (0, 1, len(blob) // 2, len(blob) - 1):
        changed = bytearray(blob)
        changed[position] ^= 1
        with pytest.raises(KeyServiceUnavailable):
            service.unwrap(bytes(changed), CONTEXT)


@pytest.mark.parametrize("blob", [b"", b"\x00", b"\xff" * 10, b"\x05abc"])
def test_noise_is_refused(service, blob):
    with pytest.raises(KeyServiceUnavailable):
        service.unwrap(blob, CONTEXT)


def test_a_new_root_wraps_and_the_old_one_still_unwraps(service):
    old = service.current_root()
    before = service.wrap(KEY, CONTEXT)
    new = service.new_root()
    assert new != old
    assert service.current_root() == new
    assert service.root_of(before) == old
    assert service.root_of(service.wrap(KEY, CONTEXT)) == new
    assert service.unwrap(before, CONTEXT) == KEY
    assert set(service.roots()) == {old, new}


@pytest.mark.clause("3.2.b")
def test_a_blob_is_wrapped_anew_under_the_root_in_force(service):
    before = service.wrap(KEY, CONTEXT)
    new = service.new_root()
    after = service.rewrap(before, CONTEXT)
    assert service.root_of(after) == new
    assert service.unwrap(after, CONTEXT) == service.unwrap(before, CONTEXT) == KEY
    with pytest.raises(KeyServiceUnavailable):
        service.rewrap(before, {**CONTEXT, "subject": "b"})
    with pytest.raises(KeyServiceUnavailable):
        service.rewrap(before[:-1] + bytes([before[-1] ^ 1]), CONTEXT)


def test_the_key_never_leaves_the_kms_when_it_is_wrapped_anew(monkeypatch):
    service = AwsKeyService(kms := StrictKms())
    before = service.wrap(KEY, CONTEXT)
    service.new_root()
    asked = []
    real = kms.re_encrypt
    monkeypatch.setattr(service._kms, "re_encrypt", lambda **given: asked.append(given) or real(**given))
    after = service.rewrap(before, CONTEXT)
    assert KEY not in repr(asked).encode("latin-1")
    assert [one["DestinationKeyId"] for one in asked] == [service.root_of(after)]


@pytest.mark.clause("3.2.b")
def test_a_retired_root_opens_nothing(strict_service):
    old = strict_service.current_root()
    before = strict_service.wrap(KEY, CONTEXT)
    strict_service.new_root()
    strict_service.retire(old)
    with pytest.raises(KeyServiceUnavailable):
        strict_service.unwrap(before, CONTEXT)


def test_retiring_twice_is_harmless(service):
    old = service.current_root()
    new = service.new_root()
    service.retire(old)
    service.retire(old)
    assert set(service.roots()) == {new}


def test_the_current_root_is_not_retired(service):
    with pytest.raises(ValueError, match="current"):
        service.retire(service.current_root())


def test_roots_say_when_they_were_made(service):
    service.current_root()
    (made_at,) = service.roots().values()
    assert made_at[:2] == "20"
    assert "T" in made_at


def test_two_first_users_get_the_same_root(tmp_path):
    services = [EmbeddedKeyService(tmp_path / "root-keys.json") for _ in range(8)]
    found: list[str] = []
    threads = [threading.Thread(target=lambda s=s: found.append(s.current_root())) for s in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_two_rotations_at_once_lose_no_root(tmp_path):
    path = tmp_path / "root-keys.json"
    EmbeddedKeyService(path).current_root()
    threads = [threading.Thread(target=EmbeddedKeyService(path).new_root) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(EmbeddedKeyService(path).roots()) == 9


def test_another_process_made_the_first_aws_root_meanwhile():
    kms = StrictKms()
    first, second = AwsKeyService(kms), AwsKeyService(kms)
    winner = first.current_root()
    # The second asked before the first had finished, and was told that there is none.
    assert second._first() == winner
    assert set(second.roots()) == {winner}
    assert sum(key["state"] == "PendingDeletion" for key in kms.keys.values()) == 1


def test_the_root_key_file_is_its_owner_s_alone(tmp_path):
    path = tmp_path / "root-keys.json"
    service = EmbeddedKeyService(path)
    blob = service.wrap(KEY, CONTEXT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(KeyServiceUnavailable, match="0600"):
        service.unwrap(blob, CONTEXT)


def test_roots_survive_a_restart(tmp_path, passphrase):
    for name, secret in (("bare", None), ("sealed", passphrase)):
        path = tmp_path / f"{name}.json"
        blob = EmbeddedKeyService(path, passphrase_file=secret).wrap(KEY, CONTEXT)
        assert EmbeddedKeyService(path, passphrase_file=secret).unwrap(blob, CONTEXT) == KEY


def test_a_sealed_file_holds_no_usable_root(tmp_path, passphrase):
    path = tmp_path / "root-keys.json"
    service = EmbeddedKeyService(path, passphrase_file=passphrase)
    blob = service.wrap(KEY, CONTEXT)
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase\n")
    with pytest.raises(KeyServiceUnavailable, match="passphrase"):
        EmbeddedKeyService(path, passphrase_file=wrong).unwrap(blob, CONTEXT)
    with pytest.raises(KeyServiceUnavailable, match="passphrase"):
        EmbeddedKeyService(path).unwrap(blob, CONTEXT)


def test_a_bare_file_is_not_used_where_a_passphrase_is_configured(tmp_path, passphrase):
    path = tmp_path / "root-keys.json"
    EmbeddedKeyService(path).current_root()
    with pytest.raises(KeyServiceUnavailable, match="keys protect"):
        EmbeddedKeyService(path, passphrase_file=passphrase).current_root()


def test_the_passphrase_can_be_set_changed_and_taken_away(tmp_path, passphrase):
    path = tmp_path / "root-keys.json"
    blob = EmbeddedKeyService(path).wrap(KEY, CONTEXT)
    EmbeddedKeyService(path).protect(passphrase)
    assert EmbeddedKeyService(path, passphrase_file=passphrase).unwrap(blob, CONTEXT) == KEY
    other = tmp_path / "other"
    other.write_text("another\n")
    EmbeddedKeyService(path, passphrase_file=passphrase).protect(other)
    assert EmbeddedKeyService(path, passphrase_file=other).unwrap(blob, CONTEXT) == KEY
    EmbeddedKeyService(path, passphrase_file=other).protect(None)
    assert EmbeddedKeyService(path).unwrap(blob, CONTEXT) == KEY


def test_an_empty_or_missing_passphrase_is_refused(tmp_path):
    empty = tmp_path / "empty"
    empty.write_text("\n")
    for file in (empty, tmp_path / "missing"):
        with pytest.raises(KeyServiceUnavailable, match="passphrase"):
            EmbeddedKeyService(tmp_path / "root-keys.json", passphrase_file=file).current_root()


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"format": "another"}', '{"format": "headshotly-root-keys-1", "x": 1}']
)
def test_a_damaged_root_key_file_is_refused_and_never_replaced(tmp_path, content):
    path = tmp_path / "root-keys.json"
    path.touch(mode=0o600)
    path.write_text(content)
    with pytest.raises(KeyServiceUnavailable):
        EmbeddedKeyService(path).current_root()
    assert path.read_text() == content


def test_an_old_root_is_overwritten_when_it_is_retired(tmp_path):
    path = tmp_path / "root-keys.json"
    service = EmbeddedKeyService(path)
    old = service.current_root()
    key = json.loads(path.read_text())["keys"][old]
    service.new_root()
    with path.open() as held:
        assert key in held.read()
        service.retire(old)
        held.seek(0)
        # The very file that held the key, still open here, holds nothing any more.
        assert held.read().strip("\0") == ""
    assert key not in path.read_text()


def test_an_unreachable_kms_is_said_in_words(aws_credentials):
    client = boto3.client(
        "kms",
        region_name="eu-central-1",
        endpoint_url="http://127.0.0.1:9",
        config=aws.Config(connect_timeout=1, retries={"max_attempts": 0}),
    )
    with pytest.raises(KeyServiceUnavailable, match="did not answer"):
        AwsKeyService(client).wrap(KEY, CONTEXT)


@pytest.mark.clause("2.2")
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-2", "eu-central-2", "", "EU-CENTRAL-1"])
def test_regions_outside_the_union_are_refused(region):
    with pytest.raises(ValueError, match="European Union"):
        aws.client("kms", region=region)


@pytest.mark.clause("3.1.a")
def test_a_plain_http_endpoint_is_refused():
    with pytest.raises(ValueError, match="https"):
        aws.client("s3", region="eu-central-1", endpoint="http://store.example")
