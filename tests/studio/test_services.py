"""The studio's verbs when something goes wrong in the middle: nothing half-done, nothing left, nobody left waiting."""

from types import SimpleNamespace
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db import OperationalError, connection
from hypothesis import given
from hypothesis import strategies as st

from headshotly.accounts import services as accounts
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.audit.leaf import decode
from headshotly.audit.models import PendingEntry
from headshotly.policy import clock
from headshotly.policy.wording import speaking
from headshotly.purposes import services as purposes
from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text
from headshotly.studio import decoding, entitlement, gate, selectors, services, states, tasks
from headshotly.studio import engine as engines
from headshotly.studio.errors import LimitReached, TooSmallForStyle
from headshotly.studio.models import Headshot, KeptReceipt, Photo, Shoot, ShootState
from headshotly.vault import services as vault
from headshotly.vault import wiring
from headshotly.vault.errors import KeyShredded, StoreFull, StoreUnavailable
from headshotly.vault.models import StoredObject
from tests.studio.naming import object_ids_in_use
from tests.vault.faults import Killed, Life

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
PICTURE = np.zeros((48, 40, 3), np.uint8)
STYLES = ["studio-grey", "studio-navy", "linkedin"]


class Owner:
    """A customer with a key and a consent; the account itself is no concern of the studio."""

    def __init__(self) -> None:
        self.id = uuid4()
        self.actor = Actor(kind="customer", id=self.id)
        vault.create_customer_key(actor=self.actor, subject=self.id)
        version = current_text(HEADSHOT_GENERATION).version
        purposes.give_consent(actor=self.actor, subject=self.id, activity=HEADSHOT_GENERATION, version=version)

    def receive(self) -> services.Received:
        return services.receive_photo(actor=self.actor, subject=self.id, data=b"a photo")

    def start(self, *photos: Photo) -> Shoot:
        ids = [photo.id for photo in photos]
        return services.start_shoot(actor=self.actor, subject=self.id, photo_ids=ids, style_ids=STYLES)


class Engine:
    """Makes small pictures, and does something else in between where a test wants it."""

    photos_used = 1

    def __init__(self, before_render=lambda _number: None) -> None:
        self._before, self.rendered = before_render, 0

    def prepare(self, picture, *, others=(), progress):
        progress("finding the face")
        return picture

    def render(self, _prepared, style):
        self.rendered += 1
        self._before(self.rendered)
        return engines.Headshot(picture=np.full((48, 40, 3), len(style.id), np.uint8), notes=())


@pytest.fixture(autouse=True)
def _no_imaging(monkeypatch) -> None:
    """The gate, the sandbox and the engine have suites of their own."""
    verdict = gate.Verdict(True, "This photo will do very well.", "", 1.0, (), None)
    monkeypatch.setattr(decoding, "decode", lambda *_, **__: PICTURE)
    monkeypatch.setattr(gate, "judge", lambda *_: verdict)
    monkeypatch.setattr(tasks, "engine", Engine)
    monkeypatch.setattr(tasks, "interruption", SimpleNamespace(is_set=lambda: False))


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
def photo(owner) -> Photo:
    received = owner.receive().photo
    assert received is not None
    return received


def run_with(monkeypatch, shoot: Shoot, before_render) -> Engine:
    engine = Engine(before_render)
    monkeypatch.setattr(tasks, "engine", lambda: engine)
    tasks.run_shoot.call(str(shoot.id))
    shoot.refresh_from_db()
    return engine


def files() -> set[UUID]:
    return {object_id for _, object_id in wiring.object_store().objects(before=clock.now() + vault.GRACE)}


def assert_nothing_lies_about() -> None:
    named = object_ids_in_use()
    assert set(StoredObject.objects.values_list("id", flat=True)) == named
    assert files() == named


@given(st.lists(st.sampled_from(ShootState), max_size=12))
def test_a_shoot_that_is_over_stays_over_unless_a_style_is_made_again(wanted) -> None:
    state = ShootState.QUEUED
    for following in wanted:
        if state in states.before(following):
            assert state not in {ShootState.FAILED, ShootState.CANCELLED}
            assert state != ShootState.DONE or following == ShootState.QUEUED
            state = following


def test_a_failed_shoot_waits_for_its_money_until_it_is_settled(owner, photo) -> None:
    failed, running = owner.start(photo), owner.start(photo)
    tasks.fail(failed.id, "Something broke.")
    assert list(selectors.failed_shoots(settled=())) == [failed]
    assert list(selectors.failed_shoots(settled=[failed.id])) == []
    assert running.state == ShootState.QUEUED


def test_there_is_a_limit_to_what_is_kept(owner, photo, monkeypatch) -> None:
    monkeypatch.setattr(services, "PHOTOS_KEPT_MAX", 1)
    with pytest.raises(LimitReached):
        owner.receive()
    assert Photo.objects.count() == 1


class Store:
    """The real store, failing at the n-th write: before it wrote, or after."""

    def __init__(self, real, *, at: int, error: Exception, wrote: bool) -> None:
        self._real, self._at, self._error, self._wrote = real, at, error, wrote
        self._writes = 0

    def __getattr__(self, name):
        return getattr(self._real, name)

    def write(self, subject, object_id, pieces):
        self._writes += 1
        if self._writes != self._at:
            return self._real.write(subject, object_id, pieces)
        if self._wrote:
            self._real.write(subject, object_id, pieces)
        raise self._error


@pytest.mark.parametrize("wrote", [False, True])
@pytest.mark.parametrize("at", [1, 2])
def test_a_store_that_fails_while_a_photo_is_kept_leaves_nothing_after_the_sweep(owner, monkeypatch, at, wrote) -> None:
    store = Store(wiring.object_store(), at=at, error=StoreFull("There is no room."), wrote=wrote)
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "object_store", lambda: store)
        with pytest.raises(StoreFull):
            owner.receive()
    assert Photo.objects.count() == StoredObject.objects.count() == 0
    vault.sweep_orphans(older_than=-vault.GRACE)
    assert_nothing_lies_about()


@pytest.mark.parametrize("wrote", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_full_disk_fails_the_shoot_and_keeps_what_was_finished(owner, photo, monkeypatch, at, wrote) -> None:
    shoot = owner.start(photo)
    store = Store(wiring.object_store(), at=at, error=StoreFull("There is no room left."), wrote=wrote)
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "object_store", lambda: store)
        with pytest.raises(StoreFull):
            tasks.run_shoot.call(str(shoot.id))
    shoot.refresh_from_db()
    assert (shoot.state, shoot.sentence) == (ShootState.FAILED, "There is no room left.")
    assert Headshot.objects.count() == (at - 1) // 2
    services.sweep_unnamed(older_than=clock.now())
    vault.sweep_orphans(older_than=-vault.GRACE)
    assert_nothing_lies_about()


def test_a_style_that_a_photo_is_too_small_for_is_left_out_and_not_charged(owner, photo, monkeypatch) -> None:
    settled = {}
    monkeypatch.setattr(entitlement, "ended", lambda _id, *, failed, made: settled.update(failed=failed, made=made))
    shoot = owner.start(photo)

    def refuse_the_second(number: int) -> None:
        if number == 2:
            raise TooSmallForStyle("This style needs 413 × 531 pixels and your photo holds only 40 × 48.")

    run_with(monkeypatch, shoot, refuse_the_second)
    assert shoot.state == ShootState.DONE
    assert set(Headshot.objects.values_list("style_id", flat=True)) == {STYLES[0], STYLES[2]}
    assert settled == {
        "failed": False,
        "made": {entitlement.piece(photo.id, STYLES[0]), entitlement.piece(photo.id, STYLES[2])},
    }
    assert shoot.sentence.splitlines()[1].startswith("photo 1 of 1: Navy: This style needs 413 × 531 pixels")
    with speaking("pl"):
        first, second = selectors.progress(shoot)["sentence"].splitlines()
    assert "za małe" in first
    assert second.startswith("zdjęcie 1 z 1: Granat")
    assert "413 × 531" in second
    again = services.redo_style(actor=owner.actor, subject=owner.id, shoot_id=shoot.id, style_id=STYLES[1])
    assert again.sentence == ""
    run_with(monkeypatch, again, lambda _number: None)
    assert again.sentence == ""
    assert Headshot.objects.count() == 3


@pytest.mark.clause("1.1.d")
def test_a_consent_withdrawn_in_the_middle_stops_the_work(owner, photo, monkeypatch) -> None:
    shoot = owner.start(photo)

    def withdraw(number: int) -> None:
        if number == 2:
            purposes.withdraw_consent(actor=owner.actor, subject=owner.id, activity=HEADSHOT_GENERATION)

    engine = run_with(monkeypatch, shoot, withdraw)
    assert engine.rendered == 2, "the picture being made is the last"
    assert shoot.state == ShootState.CANCELLED
    assert "consent" in shoot.sentence
    assert_nothing_lies_about()


@pytest.mark.clause("1.2.c")
def test_a_customer_who_leaves_in_the_middle_leaves_nothing(owner, photo, monkeypatch) -> None:
    shoot = owner.start(photo)

    def leave(number: int) -> None:
        if number == 2:
            services.delete_everything(actor=owner.actor, subject=owner.id)

    engine = Engine(leave)
    monkeypatch.setattr(tasks, "engine", lambda: engine)
    tasks.run_shoot.call(str(shoot.id))
    assert engine.rendered == 2
    assert Shoot.objects.count() == Headshot.objects.count() == Photo.objects.count() == 0
    assert_nothing_lies_about()
    assert files() == set()


def test_a_photo_deleted_while_it_waits_is_passed_over(owner, photo, monkeypatch) -> None:
    other = owner.receive().photo
    shoot = owner.start(photo, other)
    services.delete_photo(actor=owner.actor, subject=owner.id, photo_id=photo.id)
    run_with(monkeypatch, shoot, lambda _number: None)
    assert shoot.state == ShootState.DONE
    assert set(Headshot.objects.values_list("photo_id", flat=True)) == {other.id}


def test_a_worker_told_to_end_leaves_the_rest_for_the_next(owner, photo, monkeypatch) -> None:
    shoot, asked = owner.start(photo), []
    monkeypatch.setattr(tasks, "interruption", SimpleNamespace(is_set=lambda: bool(asked)))
    engine = Engine(asked.append)
    monkeypatch.setattr(tasks, "engine", lambda: engine)
    with pytest.raises(tasks.Interrupted):
        tasks.run_shoot.call(str(shoot.id))
    shoot.refresh_from_db()
    assert (shoot.state, Headshot.objects.count()) == (ShootState.RUNNING, 1)
    asked.clear()
    engine = run_with(monkeypatch, shoot, lambda _number: None)
    assert (shoot.state, engine.rendered) == (ShootState.DONE, len(STYLES) - 1)


def test_a_database_that_goes_away_is_no_failure_of_the_shoot(owner, photo, monkeypatch) -> None:
    shoot = owner.start(photo)

    def gone(_number: int) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    engine = Engine(gone)
    monkeypatch.setattr(tasks, "engine", lambda: engine)
    with pytest.raises(OperationalError):
        tasks.run_shoot.call(str(shoot.id))
    shoot.refresh_from_db()
    assert shoot.state == ShootState.RUNNING, "the next attempt goes on"


@pytest.mark.parametrize("ending", ["finishes", "fails", "is broken", "is refused"])
def test_a_run_that_was_overtaken_writes_nothing(owner, photo, monkeypatch, ending) -> None:
    """Another run began while this one was halted: the shoot is the other's, however this one ends."""
    shoot = owner.start(photo)

    def overtaken(number: int) -> None:
        if number == 2:
            assert tasks._begin(shoot.id) is not None
            match ending:
                case "fails":
                    raise StoreUnavailable("The store does not answer.")
                case "is broken":
                    raise ZeroDivisionError
                case "is refused":
                    raise LimitReached("Enough is enough.")

    engine = Engine(overtaken)
    monkeypatch.setattr(tasks, "engine", lambda: engine)
    if ending in {"fails", "is broken"}:
        with pytest.raises((StoreUnavailable, ZeroDivisionError)):
            tasks.run_shoot.call(str(shoot.id))
    else:
        tasks.run_shoot.call(str(shoot.id))
    shoot.refresh_from_db()
    assert shoot.state == ShootState.RUNNING
    assert Headshot.objects.count() == 1, "what it made before it was overtaken stays"
    assert_nothing_lies_about()


@pytest.mark.parametrize("what", ["photo", "headshot"])
def test_a_deletion_cut_short_is_finished_by_asking_again(owner, photo, monkeypatch, what) -> None:
    run_with(monkeypatch, owner.start(photo), lambda _number: None)
    headshot = Headshot.objects.first()
    delete = {
        "photo": lambda: services.delete_photo(actor=owner.actor, subject=owner.id, photo_id=photo.id),
        "headshot": lambda: services.delete_headshot(actor=owner.actor, subject=owner.id, headshot_id=headshot.id),
    }[what]
    target = {"photo": photo, "headshot": headshot}[what]
    real, calls = vault.destroy, []

    def destroy_once(**arguments) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise StoreUnavailable("The store does not answer.")
        real(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(vault, "destroy", destroy_once)
        with pytest.raises(StoreUnavailable):
            delete()
    assert type(target).objects.filter(id=target.id).exists(), "nothing says “deleted” while a byte remains"
    delete()
    assert not type(target).objects.filter(id=target.id).exists()
    assert_nothing_lies_about()


@pytest.mark.clause("1.2.c")
@pytest.mark.parametrize("happened", [False, True])
def test_leaving_cut_short_anywhere_is_finished_by_asking_again(owner, photo, monkeypatch, happened) -> None:
    run_with(monkeypatch, owner.start(photo), lambda _number: None)
    real = accounts.delete_account

    def fails(**arguments) -> None:
        if happened:
            real(**arguments)
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "delete_account", fails)
        with pytest.raises(OperationalError):
            services.delete_everything(actor=owner.actor, subject=owner.id)
    assert KeptReceipt.objects.count() == 0
    kept = services.delete_everything(actor=owner.actor, subject=owner.id)
    assert len(kept.document["statement"]["objects"]) == 2 + 2 * len(STYLES)
    assert Photo.objects.count() == Shoot.objects.count() == 0
    assert files() == set()


def test_the_sweep_leaves_what_is_young_or_named(owner, photo) -> None:
    stray = vault.seal(
        actor=owner.actor, subject=owner.id, kind="headshot", purpose=HEADSHOT_GENERATION, plaintext=b"unnamed"
    )
    assert services.sweep_unnamed(older_than=clock.now() - vault.GRACE) == 0
    assert StoredObject.objects.filter(id=stray).exists()
    assert services.sweep_unnamed(older_than=clock.now()) == 1
    assert_nothing_lies_about()
    assert StoredObject.objects.count() == 2


class Mortal:
    """The real store; the process may die before and after each write, and something may happen in between."""

    def __init__(self, real, life: Life, meanwhile=lambda _number: None) -> None:
        self._real, self._life, self._meanwhile, self._writes = real, life, meanwhile, 0

    def __getattr__(self, name):
        return getattr(self._real, name)

    def write(self, subject, object_id, pieces):
        assert not connection.in_atomic_block, "nobody waits for these bytes to reach the disk"
        self._life.step()
        length = self._real.write(subject, object_id, pieces)
        self._life.step()
        self._writes += 1
        self._meanwhile(self._writes)
        return length


def mortal(patch, life: Life) -> None:
    """Let the process die anywhere between the first byte of a picture and the commit of what names it."""
    store, enter, record = Mortal(wiring.object_store(), life), vault.enter, audit.record

    def dying(verb):
        def die(*args, **kwargs):
            life.step()
            done = verb(*args, **kwargs)
            life.step()
            return done

        return die

    patch.setattr(wiring, "object_store", lambda: store)
    patch.setattr(vault, "enter", dying(enter))
    patch.setattr(audit, "record", dying(record))


def acts() -> list[Act]:
    return [decode(bytes(row.leaf)).act for row in PendingEntry.objects.order_by("id")]


def test_an_upload_that_dies_anywhere_leaves_nothing_after_the_sweep(owner) -> None:
    before, steps, died = acts(), 0, True
    while died:
        with pytest.MonkeyPatch.context() as patch:
            mortal(patch, Life(steps))
            try:
                owner.receive()
                died = False
            except Killed:
                assert Photo.objects.count() == StoredObject.objects.count() == 0
                assert acts() == before, "what did not happen is not in the journal"
        vault.sweep_orphans(older_than=-vault.GRACE)
        assert_nothing_lies_about()
        steps += 1
    assert steps - 1 == 12  # two files, entering with its two entries, the photo's entry: before and after each
    assert acts() == [*before, Act.OBJECT_SEALED, Act.OBJECT_SEALED, Act.PHOTO_RECEIVED]
    assert Photo.objects.count() == 1


def test_a_headshot_whose_worker_dies_anywhere_is_made_once_by_the_next(owner, photo, monkeypatch) -> None:
    engine = Engine()
    monkeypatch.setattr(tasks, "engine", lambda: engine)
    monkeypatch.setattr(f"{__name__}.STYLES", STYLES[:1])
    steps, died = 0, True
    while died:
        shoot, died = owner.start(photo), False
        with pytest.MonkeyPatch.context() as patch:
            mortal(patch, Life(steps))
            try:
                tasks.run_shoot.call(str(shoot.id))
            except Killed:
                died = True
        vault.sweep_orphans(older_than=-vault.GRACE)
        assert_nothing_lies_about()
        tasks.run_shoot.call(str(shoot.id))
        assert Headshot.objects.filter(shoot=shoot).count() == 1
        shoot.refresh_from_db()
        assert shoot.state == ShootState.DONE
        assert_nothing_lies_about()
        steps += 1
    assert steps - 1 == 16  # as above, and the entries that the shoot began and ended


@pytest.mark.clause("1.2.c")
@pytest.mark.parametrize("at", [1, 2, 3])
def test_who_leaves_while_a_photo_arrives_leaves_nothing(owner, monkeypatch, at) -> None:
    """The customer goes after the first file, after the second, or just before both are entered."""
    real = wiring.object_store()

    def leave(number: int) -> None:
        if number == at:
            patch.undo()
            services.delete_everything(actor=owner.actor, subject=owner.id)

    def enter(*written, actor):
        leave(3)
        return vault_enter(*written, actor=actor)

    vault_enter, patch = vault.enter, pytest.MonkeyPatch()
    store = Mortal(real, Life(None), leave)
    patch.setattr(wiring, "object_store", lambda: store)
    monkeypatch.setattr(vault, "enter", enter)
    with pytest.raises(KeyShredded):
        owner.receive()
    patch.undo()
    assert Photo.objects.count() == StoredObject.objects.count() == 0
    assert real.remnants(owner.id) == []
    assert_nothing_lies_about()
