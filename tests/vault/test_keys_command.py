"""``headshotly keys``: what an operator sees and does."""

import pytest
from click.testing import CliRunner

from headshotly.audit.actor import SYSTEM
from headshotly.frontdoor.commands.keys import keys
from headshotly.policy.refusal import Refusal
from headshotly.vault import services, wiring
from tests.vault.conftest import DATABASES

pytestmark = pytest.mark.django_db(databases=DATABASES)


def run(*arguments: str):
    return CliRunner().invoke(keys, arguments)


def test_a_sound_hierarchy_is_said_to_be_sound(subject, warrant):
    done = run("status")
    assert done.exit_code == 0
    assert "in force" in done.output
    assert "1 customer keys" in done.output


def test_rotation_from_the_terminal(subject, warrant):
    before = wiring.key_service().current_root()
    done = run("rotate")
    assert done.exit_code == 0
    assert "1 older roots destroyed" in done.output
    assert set(wiring.key_service().roots()) != {before}


def test_a_half_done_rotation_is_shown(subject):
    wiring.key_service().new_root()
    done = run("status")
    assert done.exit_code == 1
    assert "keys rotate" in done.stderr
    assert "An interrupted rotation was finished" in run("rotate").output
    assert run("status").exit_code == 0


def test_a_lost_replica_is_shown_and_repaired(subject, vault):
    next((vault.data_folder / "keys-mirror").rglob(f"{subject.hex}.key")).unlink()
    done = run("status")
    assert done.exit_code == 1
    assert "keys repair" in done.stderr
    assert run("repair").output == "1 copies made.\n"
    assert run("status").exit_code == 0


def test_a_revived_key_is_shown_and_removed(subject, owner):
    blob = wiring.key_store().get(subject)
    services.shred(actor=owner, subject=subject)
    wiring.key_store().add(subject, blob)
    done = run("status")
    assert done.exit_code == 1
    assert "replay-erasures" in done.stderr
    assert run("replay-erasures").output.startswith("1 erased customers")
    assert run("status").exit_code == 0


def test_a_key_that_no_root_opens_is_shown(subject):
    store = wiring.key_store()
    blob = store.get(subject)
    store.replace(subject, [blob], blob[:-1] + bytes([blob[-1] ^ 1]))
    services.forget_plaintext_keys()
    done = run("status")
    assert done.exit_code == 1
    assert "opened by no root" in done.stderr


def test_the_root_keys_can_be_protected(subject, tmp_path, configure, vault):
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a long passphrase\n")
    assert run("protect", "--passphrase-file", str(passphrase)).exit_code == 0
    configure(options={"kms.passphrase_file": str(passphrase)})
    assert services.seal_field(subject=subject, field="x", text="still works")
    assert run("protect").exit_code == 0
    configure(options={})
    assert services.seal_field(subject=subject, field="x", text="still works")


def test_a_key_service_without_a_file_has_nothing_to_protect(vault, monkeypatch):
    monkeypatch.setattr(wiring, "key_service", object)
    assert isinstance(run("protect").exception, Refusal)


def test_leftovers_are_swept(subject, owner):
    services.seal(actor=SYSTEM, subject=subject, kind="photo", purpose="generate", plaintext=b"x")
    assert run("sweep").output == "0 leftovers removed.\n"
