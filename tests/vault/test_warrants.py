"""A warrant opens a photo, and nothing else does: forged, expired, foreign, unjournalled openings give no plaintext."""

import dataclasses
import datetime as dt
import uuid

import pytest

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.errors import JournalUnavailable
from headshotly.policy import clock
from headshotly.vault import envelope, field_sealing, minting, services, wiring
from headshotly.vault.errors import KeyShredded, ObjectDamaged, ObjectMissing, WarrantRefused
from tests.vault.conftest import DATABASES

pytestmark = pytest.mark.django_db(databases=DATABASES)
PHOTO = b"a photo" * 1000
NAME = "Łucja Żądło"


@pytest.fixture
def photo(owner, subject):
    return services.seal(actor=owner, subject=subject, kind="photo", purpose="generate", plaintext=PHOTO)


@pytest.fixture
def name(subject):
    return services.seal_field(subject=subject, field="accounts.name", text=NAME)


def ways(photo, name, subject):
    """Every way from ciphertext to plaintext, by name."""
    return {
        "open": lambda warrant: services.open(object_id=photo, warrant=warrant),
        "open_range": lambda warrant: services.open_range(object_id=photo, warrant=warrant, start=0, length=7),
        "open_stream": lambda warrant: b"".join(services.open_stream(object_id=photo, warrant=warrant)),
        "open_field": lambda warrant: services.open_field(
            subject=subject, field="accounts.name", sealed=name, warrant=warrant
        ),
    }


WAYS = ["open", "open_range", "open_stream", "open_field"]


@pytest.fixture(params=WAYS)
def way(request, photo, name, subject):
    return ways(photo, name, subject)[request.param]


@pytest.fixture
def unwrapped(monkeypatch):
    """Which keys were unwrapped, in order."""
    seen: list[uuid.UUID] = []
    real = services.customer_keys.plain

    def watch(subject):
        seen.append(subject)
        return real(subject)

    monkeypatch.setattr(services.customer_keys, "plain", watch)
    return seen


def test_a_genuine_warrant_opens(photo, name, subject, warrant):
    opened = {called: way(warrant) for called, way in ways(photo, name, subject).items()}
    assert opened == {"open": PHOTO, "open_range": PHOTO[:7], "open_stream": PHOTO, "open_field": NAME}


@pytest.mark.clause("5.3.a")
def test_every_opening_is_journalled_with_who_why_and_under_what(way, warrant, owner, subject, journal):
    before = len(journal())
    way(warrant)
    (entry,) = journal()[before:]
    assert entry.act in {Act.OBJECT_OPENED, Act.FIELD_OPENED}
    assert (entry.actor, entry.subject, entry.warrant_id) == (owner, subject, warrant.id)
    assert entry.purpose.startswith("owner-view")
    assert entry.outcome == Outcome.DONE


def forgeries(warrant):
    """Each field of a warrant changed, the MAC kept; and the MAC changed."""
    somebody = uuid.uuid4()
    yield "id", dataclasses.replace(warrant, id=somebody)
    yield "actor", dataclasses.replace(warrant, actor=Actor(kind="customer", id=somebody))
    yield "kind", dataclasses.replace(warrant, actor=Actor(kind="staff", id=warrant.actor.id))
    yield "role", dataclasses.replace(warrant, actor=Actor(kind="customer", id=warrant.actor.id, role="admin"))
    yield "subject", dataclasses.replace(warrant, subject=somebody)
    yield "purpose", dataclasses.replace(warrant, purpose="support")
    yield "basis", dataclasses.replace(warrant, basis="grant:1")
    yield "expiry", dataclasses.replace(warrant, expires_at=warrant.expires_at + dt.timedelta(microseconds=1))
    yield "mac", dataclasses.replace(warrant, mac=bytes(32))
    yield "empty mac", dataclasses.replace(warrant, mac=b"")


FORGERIES = ["id", "actor", "kind", "role", "subject", "purpose", "basis", "expiry", "mac", "empty mac"]


@pytest.mark.clause("5.1.a")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_warrant_opens_nothing_and_is_journalled(forgery, way, warrant, journal, unwrapped):
    before = len(journal())
    with pytest.raises(WarrantRefused):
        way(dict(forgeries(warrant))[forgery])
    assert unwrapped == []
    (entry,) = journal()[before:]
    assert (entry.act, entry.outcome) == (Act.WARRANT_REFUSED, Outcome.REFUSED)


@pytest.mark.clause("2.4.c")
@pytest.mark.parametrize(("late", "opens"), [(-1, True), (0, False), (1, False)])
def test_a_warrant_ends_at_its_expiry(late, opens, way, warrant, monkeypatch, journal, unwrapped):
    before = len(journal())
    moment = warrant.expires_at + dt.timedelta(microseconds=late)
    monkeypatch.setattr(clock, "now", lambda: moment)
    if opens:
        assert way(warrant)
        return
    with pytest.raises(WarrantRefused):
        way(warrant)
    assert unwrapped == []
    assert [entry.act for entry in journal()[before:]] == [Act.WARRANT_REFUSED]


def test_another_s_warrant_opens_nothing(way, vault, journal, unwrapped):
    somebody = uuid.uuid4()
    other = minting.mint(
        actor=Actor(kind="customer", id=somebody),
        subject=somebody,
        purpose="owner-view",
        basis="session:other",
        valid_for=dt.timedelta(minutes=5),
    )
    before = len(journal())
    with pytest.raises(WarrantRefused):
        way(other)
    assert unwrapped == []
    (entry,) = journal()[before:]
    assert (entry.act, entry.subject) == (Act.WARRANT_REFUSED, somebody)


def test_somebody_else_s_object_and_none_at_all_look_the_same(photo, vault, journal):
    somebody = uuid.uuid4()
    other = minting.mint(
        actor=Actor(kind="customer", id=somebody),
        subject=somebody,
        purpose="owner-view",
        basis="session:other",
        valid_for=dt.timedelta(minutes=5),
    )
    before = len(journal())
    with pytest.raises(WarrantRefused) as foreign:
        services.open(object_id=photo, warrant=other)
    with pytest.raises(ObjectMissing) as missing:
        services.open(object_id=uuid.uuid4(), warrant=other)
    shown = [(caught.value.sentence, caught.value.code, caught.value.status) for caught in (foreign, missing)]
    assert shown[0] == shown[1]
    assert [entry.act for entry in journal()[before:]] == [Act.WARRANT_REFUSED] * 2


def failing_journal(monkeypatch, *, happened):
    """A journal that fails: before the entry is written, or after, saying that it was not."""
    real = audit.record_durably

    def fail(**entry):
        if happened:
            real(**entry)
        raise JournalUnavailable("The access could not be written down.")

    monkeypatch.setattr(audit, "record_durably", fail)


@pytest.mark.clause("5.3.a")
@pytest.mark.parametrize("happened", [False, True])
def test_no_entry_no_plaintext(happened, way, warrant, monkeypatch, unwrapped):
    failing_journal(monkeypatch, happened=happened)
    with pytest.raises(JournalUnavailable):
        way(warrant)
    assert unwrapped == []


@pytest.mark.parametrize("happened", [False, True])
def test_a_refusal_that_cannot_be_journalled_still_refuses(happened, way, warrant, monkeypatch, unwrapped):
    failing_journal(monkeypatch, happened=happened)
    with pytest.raises(JournalUnavailable):
        way(dataclasses.replace(warrant, mac=bytes(32)))
    assert unwrapped == []


def test_the_entry_comes_before_the_key_and_the_file(photo, warrant, monkeypatch):
    order: list[str] = []
    for owner_, verb in ((audit, "record_durably"), (envelope, "unwrap"), (services.customer_keys, "plain")):
        real = getattr(owner_, verb)

        def watch(*args, _real=real, _verb=verb, **kwargs):
            order.append(_verb)
            return _real(*args, **kwargs)

        monkeypatch.setattr(owner_, verb, watch)
    services.open(object_id=photo, warrant=warrant)
    assert order == ["record_durably", "plain", "unwrap"]


def test_a_stream_that_nobody_reads_is_journalled_too(photo, warrant, journal):
    before = len(journal())
    stream = services.open_stream(object_id=photo, warrant=warrant)
    assert stream.length == len(PHOTO)
    stream.close()
    assert [entry.act for entry in journal()[before:]] == [Act.OBJECT_OPENED]


def test_warrants_survive_a_restart(photo, warrant):
    wiring.rewire()
    services.forget_plaintext_keys()
    assert services.open(object_id=photo, warrant=warrant) == PHOTO


def test_a_damaged_object_gives_nothing(photo, subject, warrant, vault):
    (path,) = (vault.data_folder / "objects").rglob("*.sealed")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ObjectDamaged):
        services.open(object_id=photo, warrant=warrant)
    with pytest.raises(ObjectDamaged):
        services.open_stream(object_id=photo, warrant=warrant)


def test_objects_of_two_customers_cannot_be_exchanged(photo, warrant, vault):
    other = uuid.uuid4()
    services.create_customer_key(actor=SYSTEM, subject=other)
    theirs = services.seal(actor=SYSTEM, subject=other, kind="photo", purpose="generate", plaintext=b"theirs")
    files = {path.stem: path for path in (vault.data_folder / "objects").rglob("*.sealed")}
    files[photo.hex].write_bytes(files[theirs.hex].read_bytes())
    with pytest.raises(ObjectDamaged):
        services.open(object_id=photo, warrant=warrant)


def test_a_field_opens_only_as_itself(subject, name, warrant):
    with pytest.raises(ObjectDamaged):
        services.open_field(subject=subject, field="accounts.email", sealed=name, warrant=warrant)
    for position in range(len(name)):
        flipped = bytearray(name)
        flipped[position] ^= 1
        with pytest.raises(ObjectDamaged):
            services.open_field(subject=subject, field="accounts.name", sealed=bytes(flipped), warrant=warrant)
    for length in range(len(name)):
        with pytest.raises(ObjectDamaged):
            field_sealing.unseal(name[:length], subject=subject, field="accounts.name", customer_key=bytes(32))


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": ""},
        {"basis": ""},
        {"valid_for": dt.timedelta(0)},
        {"valid_for": dt.timedelta(seconds=-1)},
        {"valid_for": dt.timedelta(hours=1, microseconds=1)},
        {"actor": Actor(kind="customer")},
    ],
)
def test_a_warrant_without_its_parts_is_not_minted(wrong, vault):
    somebody = uuid.uuid4()
    parts = {
        "actor": Actor(kind="customer", id=somebody),
        "subject": somebody,
        "purpose": "owner-view",
        "basis": "session:1",
        "valid_for": dt.timedelta(minutes=5),
    }
    with pytest.raises(ValueError, match="warrant"):
        minting.mint(**(parts | wrong))


def test_nobody_without_a_key_can_be_sealed_for(vault):
    stranger = uuid.uuid4()
    with pytest.raises(KeyShredded):
        services.seal(actor=SYSTEM, subject=stranger, kind="photo", purpose="generate", plaintext=b"x")
    with pytest.raises(KeyShredded):
        services.seal_field(subject=stranger, field="accounts.name", text="x")
    assert not (vault.data_folder / "objects").exists()


def test_making_a_key_twice_keeps_what_was_sealed(photo, subject, owner, warrant, journal):
    before = len(journal())
    services.create_customer_key(actor=owner, subject=subject)
    assert len(journal()) == before
    assert services.open(object_id=photo, warrant=warrant) == PHOTO
