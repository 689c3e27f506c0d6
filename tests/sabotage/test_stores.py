"""What is kept, broken: sections 2.2, 3.2, 5.1, 5.3 and the evidence itself."""

import dataclasses
import datetime as dt
import hmac
import logging
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connections

from headshotly.access import disclosure
from headshotly.access.models import Grant
from headshotly.accounts import passwords
from headshotly.accounts.models import Customer
from headshotly.audit.actor import Actor
from headshotly.audit.models import Entry
from headshotly.frontdoor import logs
from headshotly.policy import configuration
from headshotly.proof import roles
from headshotly.proof import services as proof
from headshotly.proof.models import CheckRun, Evidence
from headshotly.proof.scene import Scene
from headshotly.studio.models import Photo
from headshotly.vault import minting, rotation, streaming, wiring
from headshotly.vault import services as vault
from headshotly.vendors import aws
from tests.accounts.conftest import EMAIL
from tests.sabotage.conftest import sequence_all

ALL = pytest.mark.django_db(databases="__all__")
COMMITTED = pytest.mark.django_db(databases="__all__", transaction=True)


@COMMITTED
@pytest.mark.sabotage("no_plaintext_in_stores", "a photo lies readable in the data folder")
def test_a_readable_photo(watch) -> None:
    watch.is_content()
    path = configuration.current().data_folder / "cache" / "thumbnail.bin"
    path.parent.mkdir()
    path.write_bytes(b"\x00" * 100 + b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(500))
    watch.is_broken("cache/thumbnail.bin holds a readable picture")


@COMMITTED
@pytest.mark.sabotage("no_plaintext_in_stores", "an address stands readable in a column")
def test_a_readable_address(watch, scene) -> None:
    Photo.objects.create(
        subject=uuid4(), object_id=uuid4(), preview_id=uuid4(), sentence=EMAIL, score=1, received_at=scene.now
    )
    watch.is_broken("holds a readable e-mail address")


@COMMITTED
@pytest.mark.sabotage("no_plaintext_in_stores", "sealing no longer encrypts")
def test_sealing_that_does_not_seal(watch, monkeypatch) -> None:
    monkeypatch.setattr(streaming, "seal", lambda pieces, _key, _header: (bytes(piece) for piece in pieces))
    watch.is_broken("holds the planted canary")


@ALL
@pytest.mark.sabotage("objects_are_sealed", "a stored picture is no ciphertext")
def test_an_object_that_is_not_sealed(watch) -> None:
    watch.is_content()
    subject = uuid4()
    actor = Actor(kind="customer", id=subject)
    vault.create_customer_key(actor=actor, subject=subject)
    object_id = vault.seal(actor=actor, subject=subject, kind="photo", purpose="headshot-generation", plaintext=b"face")
    wiring.object_store().write(subject, object_id, [b"\xff\xd8\xff\xe0 a face"])
    watch.is_broken(object_id)


@ALL
@pytest.mark.sabotage("opening_needs_a_warrant", "a forged warrant opens a picture")
def test_forged_warrants_open(watch, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(hmac, "compare_digest", lambda _one, _other: True)
    watch.is_broken("a forged seal")


@ALL
@pytest.mark.sabotage("opening_needs_a_warrant", "a picture opens and the journal is not told")
def test_openings_without_entry(watch, monkeypatch) -> None:
    monkeypatch.setattr(vault.audit, "record_durably", lambda **_fields: uuid4())
    watch.is_broken("the journal has no entry of it")


@ALL
@pytest.mark.sabotage("journal_verifies", "an entry is taken out of the journal")
def test_a_missing_entry(watch, grant) -> None:
    sequence_all()
    watch.is_content()
    Entry.objects.filter(index=1).delete()
    watch.is_broken("Entry 1 is missing")


@ALL
@pytest.mark.sabotage("journal_verifies", "an entry says something else than was signed")
def test_a_changed_entry(watch, grant) -> None:
    sequence_all()
    watch.is_content()
    leaf = bytes(Entry.objects.get(index=0).leaf)
    changed = leaf.replace(b'"outcome":"done"', b'"outcome":"failed"')
    assert changed != leaf
    Entry.objects.filter(index=0).update(leaf=changed)
    watch.is_broken("Entry 0 does not match its own hash")


@ALL
@pytest.mark.sabotage("journal_keeps_up", "nothing signs entries any more")
def test_a_dead_sequencer(watch, grant, later) -> None:
    sequence_all()
    watch.is_content()
    disclosure.open_details(member=grant.member, grant_id=grant.id)
    later(minutes=20)
    watch.is_broken("the sequencer does not run")


@ALL
@pytest.mark.sabotage("staff_openings_in_grants", "staff open a customer's data without a grant")
def test_an_opening_without_a_grant(watch, grant, customer, support) -> None:
    disclosure.open_details(member=support, grant_id=grant.id)
    sequence_all()
    watch.is_content()
    warrant = minting.mint(
        actor=Actor(kind="staff", id=support.id, role=support.role),
        subject=customer.id,
        purpose="curiosity",
        basis="none",
        valid_for=dt.timedelta(minutes=1),
    )
    sealed = bytes(customer.name_sealed)
    vault.open_field(subject=customer.id, field="accounts.name", sealed=sealed, warrant=warrant)
    sequence_all()
    assert len(watch.is_broken("Opened outside any grant").broken) == 1


@ALL
@pytest.mark.sabotage("staff_openings_in_grants", "the grant an opening names had ended before")
def test_an_opening_after_the_grant(watch, grant, support) -> None:
    disclosure.open_details(member=support, grant_id=grant.id)
    sequence_all()
    Grant.objects.filter(id=grant.id).update(expires_at=grant.begins_at)
    watch.is_broken("Opened outside any grant")


@ALL
@pytest.mark.sabotage("root_key_in_date", "the root key is not rotated for more than a year")
def test_an_old_root(watch, customer, later) -> None:
    watch.is_content()
    later(days=400)
    watch.is_broken("400 days old")


@ALL
@pytest.mark.sabotage("root_key_in_date", "customer keys stay under the root before")
def test_a_half_rotation(watch, customer) -> None:
    wiring.key_service().new_root()
    watch.is_broken("keys are wrapped under an older root")
    rotation.rotate(actor=Actor(kind="system"))
    watch.is_content()


@ALL
@pytest.mark.sabotage("root_key_in_date", "production keeps its root key in a file")
def test_a_root_in_a_file(watch, customer) -> None:
    watch.scene = Scene(
        find_service=watch.scene.find_service,
        here=dataclasses.replace(configuration.current(), environment="production"),
    )
    watch.is_broken("the key service is embedded")


@ALL
@pytest.mark.sabotage("regions_in_union", "a store is set to a region in the United States")
def test_a_foreign_region(watch) -> None:
    watch.is_content()
    options = {"s3.region": "us-east-1", "kms.endpoint": "https://kms.eu-west-2.amazonaws.com"}
    here = dataclasses.replace(configuration.current(), options=options)
    watch.scene = Scene(find_service=watch.scene.find_service, here=here)
    found = watch.is_broken("s3.region = us-east-1")
    assert "kms.endpoint = eu-west-2" in found.sentence


@ALL
@pytest.mark.sabotage("regions_in_union", "the gate lets a foreign region through")
def test_a_gate_that_is_open(watch, monkeypatch) -> None:
    monkeypatch.setattr(aws, "EU_REGIONS", aws.EU_REGIONS | {"us-east-1"})
    watch.is_broken("A store in us-east-1 was not refused")


@ALL
@pytest.mark.sabotage("password_policy", "passwords of every breach are accepted")
def test_known_passwords(watch, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(passwords, "is_breached", lambda _password: False)
    monkeypatch.setattr(passwords, "zxcvbn", lambda *_args, **_more: {"score": 4})
    watch.is_broken("one of the most used")


@ALL
@pytest.mark.sabotage("password_policy", "a password is kept as a quick hash")
def test_a_quick_hash(watch, customer) -> None:
    watch.is_content()
    Customer.objects.filter(id=customer.id).update(password="md5$salt$aabbcc")
    watch.is_broken("1 passwords are not kept as Argon2id")


def unguarded(sql: str) -> None:
    """Change what the database refuses to change, as somebody with the file in hand could."""
    with connections["default"].cursor() as cursor:
        for table in ("proof_evidence", "proof_checkrun"):
            on = f" ON {table}" if connections["default"].vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {table}_append_only{on}")
        cursor.execute(sql)


@pytest.fixture
def earlier(scene) -> CheckRun:
    made = proof.verify(scene=scene, clause_ids=["1.3.a"], asked_by="command")
    sequence_all()
    return made


@ALL
@pytest.mark.sabotage("evidence_is_whole", "an earlier failure is turned into a pass")
def test_evidence_is_changed(watch, earlier) -> None:
    watch.is_content()
    unguarded("UPDATE proof_evidence SET sentence = 'All is well.'")
    watch.is_broken(f"run {earlier.id}")


@ALL
@pytest.mark.sabotage("evidence_is_whole", "an earlier run is removed altogether")
def test_evidence_is_removed(watch, earlier, scene) -> None:
    proof.verify(scene=scene, clause_ids=["1.3.a"], asked_by="command")
    unguarded("DELETE FROM proof_evidence WHERE 1 = 1")
    with connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM proof_checkrun")
    assert not Evidence.objects.exists()
    watch.is_broken(f"run {earlier.id}")


@ALL
@pytest.mark.sabotage("logs_hold_nothing_personal", "a library's log writes what it is told, in its own form")
def test_a_log_that_quotes(watch, tmp_path) -> None:
    watch.is_content()
    careless = logging.FileHandler(tmp_path / "library.log")
    logging.getLogger("a.library").handlers.append(careless)  # past what tames those that are added
    try:
        watch.is_broken("the log of a.library writes down an exception of a.library")
    finally:
        logging.getLogger("a.library").removeHandler(careless)
        careless.close()


@ALL
@pytest.mark.sabotage("logs_hold_nothing_personal", "the formatter lets an exception speak")
def test_a_log_that_lets_exceptions_speak(watch, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(logs, "told_of", lambda error: {"error": str(error)})
    watch.is_broken("an exception of")


@pytest.mark.sabotage(
    "roles_are_separate", "others on the machine can read the database, or a role in it may do too much"
)
@ALL
def test_an_open_database(watch, settings, monkeypatch) -> None:
    if connections["default"].vendor == "postgresql":
        monkeypatch.setattr(roles, "_asked", [lambda: {"web": [], "duties": []}])
        watch.is_content()
        monkeypatch.setattr(roles, "_asked", [lambda: {"web": ["It owns 3 tables."], "duties": []}])
        watch.is_broken("web: It owns 3 tables.")
        return
    watch.is_content()
    file = Path(str(connections["default"].settings_dict["NAME"]))
    modes = {path: path.stat().st_mode for path in (file, file.parent)}
    try:
        file.chmod(0o644)
        file.parent.chmod(0o755)
        watch.is_broken(file.name)
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
