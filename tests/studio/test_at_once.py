"""Two at once: a picture is deleted while it is uploaded, worked on, or deleted by somebody else. Nothing is left over.

Each test stops one of the two at a point inside its work, lets the other go on until it has ended or has to wait for the
first, and then looks at what is there. On PostgreSQL both are in transactions of their own; on SQLite one waits.
"""

import dataclasses
import threading
import time
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections

from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.audit.leaf import decode
from headshotly.audit.models import PendingEntry
from headshotly.policy import clock
from headshotly.purposes.declarations import limits
from headshotly.rights import retention
from headshotly.studio import duties, selectors, services, tasks
from headshotly.studio.errors import NotFound
from headshotly.studio.models import Headshot, Photo, Shoot, ShootState
from headshotly.vault import duties as vault_duties
from headshotly.vault import services as vault
from headshotly.vault import wiring
from headshotly.vault.errors import KeyShredded, ObjectMissing, StoreUnavailable
from headshotly.vault.models import StoredObject
from tests.studio.test_services import (  # noqa: F401 - fixtures
    STYLES,
    Engine,
    Owner,
    _no_imaging,
    assert_nothing_lies_about,
    owner,
    photo,
)
from tests.vault.faults import Failing, Killed, Life, Mortal

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


class Other:
    """What happens at the same time, in a thread and with connections of its own."""

    def __init__(self, act) -> None:
        self._act, self.met = act, None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.met = self._act()
        except Exception as error:
            self.met = error
        finally:
            connections.close_all()

    def go_as_far_as_it_can(self) -> None:
        """Start it, and return once it has ended or waits for whoever called."""
        self._thread.start()
        until = time.monotonic() + (15 if connection.vendor == "postgresql" else 0.4)
        while self._thread.is_alive() and time.monotonic() < until and not _somebody_waits():
            time.sleep(0.01)

    def end(self):
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.met


def _somebody_waits() -> bool:
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        # Not pg_stat_activity, which a transaction sees as it was when it looked first.
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def meet(monkeypatch, place, name: str, other: Other, *, after: bool) -> None:
    """Let the other act go on at the first call of a function, before it or after it."""
    real, met = getattr(place, name), []

    def run(*args, **kwargs):
        first = not met
        met.append(True)
        if first and not after:
            other.go_as_far_as_it_can()
        result = real(*args, **kwargs)
        if first and after:
            other.go_as_far_as_it_can()
        return result

    monkeypatch.setattr(place, name, run)


def acts(*wanted: Act) -> list[Act]:
    found = [decode(bytes(row.leaf)).act for row in PendingEntry.objects.order_by("id")]
    return [act for act in found if act in wanted]


def nothing_is_left_of(subject: UUID) -> None:
    assert not Photo.objects.filter(subject=subject).exists()
    assert not Headshot.objects.filter(subject=subject).exists()
    assert not Shoot.objects.filter(subject=subject).exists()
    assert not StoredObject.objects.filter(subject=subject).exists()
    assert wiring.object_store().remnants(subject) == []


def erase(owner: Owner) -> Other:  # noqa: F811 - the fixture's value
    return Other(lambda: services.delete_everything(actor=owner.actor, subject=owner.id))


# ---- everything is deleted


@pytest.mark.clause("1.2.c")
@pytest.mark.parametrize("after", [False, True])
def test_an_upload_while_everything_is_deleted(owner, monkeypatch, after):  # noqa: F811
    erasing = erase(owner)
    meet(monkeypatch, vault, "enter", erasing, after=after)
    try:
        owner.receive()
    except KeyShredded:
        assert not after or connection.vendor == "sqlite"
    assert erasing.end().document["statement"]["subject"] == str(owner.id)
    nothing_is_left_of(owner.id)


@pytest.mark.clause("1.2.c")
@pytest.mark.parametrize("after", [False, True])
def test_a_headshot_is_made_while_everything_is_deleted(owner, photo, monkeypatch, after):  # noqa: F811
    shoot, erasing = owner.start(photo), erase(owner)
    meet(monkeypatch, vault, "enter", erasing, after=after)
    tasks.run_shoot.call(str(shoot.id))
    assert erasing.end().document["statement"]["subject"] == str(owner.id)
    nothing_is_left_of(owner.id)


@pytest.mark.clause("1.2.c")
def test_a_shoot_begins_while_everything_is_deleted(owner, photo, monkeypatch):  # noqa: F811
    erasing = erase(owner)
    meet(monkeypatch, vault, "require_living", erasing, after=True)
    owner.start(photo)
    erasing.end()
    nothing_is_left_of(owner.id)


@pytest.mark.clause("1.2.c")
def test_a_shoot_that_would_begin_after_everything_is_deleted_does_not(owner, photo, monkeypatch):  # noqa: F811
    erasing = erase(owner)
    meet(monkeypatch, services, "photo_of", erasing, after=True)
    with pytest.raises(KeyShredded):
        owner.start(photo)
    erasing.end()
    nothing_is_left_of(owner.id)


# ---- one photo is deleted


def test_a_photo_is_deleted_twice_at_once_and_the_journal_says_so_once(owner, photo, monkeypatch):  # noqa: F811
    other = Other(lambda: services.delete_photo(actor=SYSTEM, subject=owner.id, photo_id=photo.id))
    meet(monkeypatch, vault, "destroy", other, after=False)
    services.delete_photo(actor=owner.actor, subject=owner.id, photo_id=photo.id)
    assert other.end() is None
    assert acts(Act.PHOTO_DELETED, Act.OBJECT_DESTROYED) == [Act.OBJECT_DESTROYED] * 2 + [Act.PHOTO_DELETED]
    assert_nothing_lies_about()


def test_bytes_are_destroyed_twice_at_once_and_the_journal_says_so_once(owner, photo, monkeypatch):  # noqa: F811
    other = Other(lambda: services.delete_photo(actor=SYSTEM, subject=owner.id, photo_id=photo.id))
    meet(monkeypatch, wiring.destruction_ledger(), "note", other, after=True)
    services.delete_photo(actor=owner.actor, subject=owner.id, photo_id=photo.id)
    assert other.end() is None
    assert sorted(acts(Act.PHOTO_DELETED, Act.OBJECT_DESTROYED)) == sorted(
        [Act.OBJECT_DESTROYED] * 2 + [Act.PHOTO_DELETED]
    )
    assert_nothing_lies_about()


@pytest.mark.parametrize("point", ["before it is opened", "half deleted", "while a headshot is made", "in the commit"])
def test_a_photo_is_deleted_while_it_is_worked_on_and_the_shoot_goes_on(owner, photo, monkeypatch, point):  # noqa: F811
    second = owner.receive().photo
    shoot = owner.start(photo, second)
    deleting = Other(lambda: services.delete_photo(actor=owner.actor, subject=owner.id, photo_id=photo.id))
    match point:
        case "before it is opened":
            meet(monkeypatch, vault, "open", deleting, after=False)
        case "half deleted":
            vault.destroy(actor=owner.actor, object_id=photo.object_id)
        case "while a headshot is made":
            engine = Engine(lambda number: deleting.go_as_far_as_it_can() if number == 1 else None)
            monkeypatch.setattr(tasks, "engine", lambda: engine)
        case _:
            meet(monkeypatch, vault, "enter", deleting, after=True)
    tasks.run_shoot.call(str(shoot.id))
    if point == "half deleted":
        deleting.go_as_far_as_it_can()
    assert deleting.end() is None
    shoot.refresh_from_db()
    assert (shoot.state, shoot.sentence) == (ShootState.DONE, "")
    assert not Photo.objects.filter(id=photo.id).exists()
    assert Headshot.objects.filter(photo_id=second.id).count() == len(STYLES)
    # What was committed before the photo went stays; on SQLite the deletion may wait for more than one.
    assert (Headshot.objects.filter(photo_id=photo.id).count() > 0) is (point == "in the commit")
    assert_nothing_lies_about()


def test_a_photo_that_is_lost_and_not_deleted_still_fails_its_shoot(owner, photo):  # noqa: F811
    shoot = owner.start(photo)
    wiring.object_store().delete(owner.id, photo.object_id)
    tasks.run_shoot.call(str(shoot.id))
    shoot.refresh_from_db()
    assert (shoot.state, shoot.sentence) == (ShootState.FAILED, ObjectMissing("There is nothing here.").sentence)


@pytest.mark.clause("1.2.c")
def test_a_photo_and_all_its_results_go_though_one_is_just_being_made(owner, photo, monkeypatch):  # noqa: F811
    """The last headshot is committed after the others were listed, or must not be at all."""
    shoot = owner.start(photo)
    working = Other(lambda: tasks.run_shoot.call(str(shoot.id)))
    meet(monkeypatch, services, "delete_photo", working, after=False)
    services.delete_photo_and_results(actor=owner.actor, subject=owner.id, photo_id=photo.id)
    assert working.end() is None
    assert not Headshot.objects.filter(photo_id=photo.id).exists()
    assert_nothing_lies_about()


@pytest.mark.clause("1.2.c")
def test_a_headshot_in_its_commit_goes_with_its_photo_and_all_results(owner, photo, monkeypatch):  # noqa: F811
    shoot = owner.start(photo)
    deleting = Other(lambda: services.delete_photo_and_results(actor=owner.actor, subject=owner.id, photo_id=photo.id))
    meet(monkeypatch, vault, "enter", deleting, after=True)
    tasks.run_shoot.call(str(shoot.id))
    assert deleting.end() >= 2
    assert not Headshot.objects.filter(photo_id=photo.id).exists()
    assert_nothing_lies_about()


def test_a_headshot_is_marked_while_it_is_deleted(owner, photo, monkeypatch):  # noqa: F811
    tasks.run_shoot.call(str(owner.start(photo).id))
    made = Headshot.objects.first()
    deleting = Other(lambda: services.delete_headshot(actor=owner.actor, subject=owner.id, headshot_id=made.id))
    meet(monkeypatch, services, "headshot_of", deleting, after=True)
    with pytest.raises(NotFound):
        services.toggle_favourite(subject=owner.id, headshot_id=made.id)
    assert deleting.end() is None
    assert not Headshot.objects.filter(id=made.id).exists()


def test_a_style_is_made_again_while_one_of_its_headshots_is_deleted(owner, photo, monkeypatch):  # noqa: F811
    shoot = owner.start(photo)
    tasks.run_shoot.call(str(shoot.id))
    made = Headshot.objects.get(style_id=STYLES[0])
    deleting = Other(lambda: services.delete_headshot(actor=owner.actor, subject=owner.id, headshot_id=made.id))
    meet(monkeypatch, services, "delete_headshot", deleting, after=False)
    again = services.redo_style(actor=owner.actor, subject=owner.id, shoot_id=shoot.id, style_id=STYLES[0])
    assert deleting.end() is None
    tasks.run_shoot.call(str(again.id))
    assert Headshot.objects.filter(shoot=shoot).count() == len(STYLES)
    assert_nothing_lies_about()


@pytest.mark.parametrize("what", ["photos", "headshots"])
def test_a_time_limit_goes_on_where_an_owner_was_faster(owner, photo, monkeypatch, what, later):  # noqa: F811
    owner.receive()
    tasks.run_shoot.call(str(owner.start(photo).id))
    later(days=4000)
    model, verb = (Photo, "delete_photo") if what == "photos" else (Headshot, "delete_headshot")
    real, faster = getattr(services, verb), []

    def run(**named):
        if not faster:
            faster.append(named)
            real(**named)  # by the owner, a moment ago
        return real(**named)

    monkeypatch.setattr(services, verb, run)
    retention.SWEEPS[what](dataclasses.replace(limits()[what], days=1))
    assert faster
    assert not model.objects.exists()


# ---- what a crash leaves, and what was left before


class _Dying:
    """The process dies at a step of a deletion."""

    CHANGES = {"note", "delete"}

    def __init__(self, monkeypatch, life: Life) -> None:
        ledger, store = wiring.destruction_ledger(), wiring.object_store()
        monkeypatch.setattr(wiring, "destruction_ledger", lambda: Mortal(ledger, self.CHANGES, life))
        monkeypatch.setattr(wiring, "object_store", lambda: Mortal(store, self.CHANGES, life))


@pytest.mark.clause("1.2.c")
@pytest.mark.parametrize("what", ["photo", "headshot"])
def test_a_deletion_that_a_crash_cut_short_is_finished_by_the_duties(owner, photo, monkeypatch, what):  # noqa: F811
    steps, died = 1, True
    while died:
        kept = owner.receive().photo
        tasks.run_shoot.call(str(owner.start(kept).id))
        made = Headshot.objects.filter(photo_id=kept.id).first()
        with monkeypatch.context() as patch:
            _Dying(patch, Life(steps))
            try:
                if what == "photo":
                    services.delete_photo(actor=owner.actor, subject=owner.id, photo_id=kept.id)
                else:
                    services.delete_headshot(actor=owner.actor, subject=owner.id, headshot_id=made.id)
                died = False
            except Killed:
                pass
        said = [vault_duties.sweep(), duties.sweep()]
        assert not died or any(not one.startswith("0 ") for one in said), said
        assert (
            not (Photo if what == "photo" else Headshot)
            .objects.filter(id=kept.id if what == "photo" else made.id)
            .exists()
        )
        assert_nothing_lies_about()
        steps += 1
    # Noted and removed, before and after, for picture and preview; before the first note nothing was asked for yet.
    assert steps == 9


@pytest.mark.clause("1.2.c")
def test_a_destruction_that_the_store_refused_is_tried_again_by_the_duty(owner, photo, monkeypatch):  # noqa: F811
    store = wiring.object_store()
    with monkeypatch.context() as patch:
        patch.setattr(
            wiring, "object_store", lambda: Failing(store, "delete", StoreUnavailable("down"), happened=False)
        )
        with pytest.raises(StoreUnavailable):
            services.delete_photo(actor=owner.actor, subject=owner.id, photo_id=photo.id)
    assert Photo.objects.count() == 1
    assert vault_duties.sweep().startswith("1 deletions finished")
    assert duties.sweep().startswith("1 deletions finished")
    assert Photo.objects.count() == 0
    assert_nothing_lies_about()
    assert vault_duties.sweep().startswith("0 deletions finished")
    assert duties.sweep().startswith("0 deletions finished")


def test_a_photo_whose_bytes_are_lost_keeps_its_row_for_a_backup(owner, photo):  # noqa: F811
    wiring.object_store().delete(owner.id, photo.object_id)
    assert vault_duties.sweep().startswith("0 deletions finished")
    assert duties.sweep().startswith("0 deletions finished")
    assert Photo.objects.filter(id=photo.id).exists()


@pytest.mark.clause("1.2.c")
def test_rows_left_of_somebody_erased_are_noticed_and_removed(owner, photo, monkeypatch, later):  # noqa: F811
    """As an earlier release could leave them, where an upload's transaction outlived the erasure."""
    services.delete_everything(actor=owner.actor, subject=owner.id)
    left, sealed = uuid4(), uuid4()
    StoredObject.objects.create(
        id=sealed, subject=owner.id, kind="photo", purpose="p", sealed_bytes=1, sealed_at=clock.now()
    )
    Photo.objects.create(
        id=left, subject=owner.id, object_id=sealed, preview_id=sealed, sentence="", score=1, received_at=clock.now()
    )
    Shoot.objects.create(subject=owner.id, steps_total=1, created_at=clock.now())
    assert vault_duties.sweep().startswith("0 deletions finished"), "an erasure may be under way"
    assert duties.sweep().startswith("1 deletions finished")
    nothing_is_left_of(owner.id)
    assert duties.sweep().startswith("0 deletions finished")
    StoredObject.objects.create(
        id=sealed, subject=owner.id, kind="export", purpose="p", sealed_bytes=1, sealed_at=clock.now()
    )
    later(hours=2)
    assert vault_duties.sweep().startswith("1 deletions finished")
    nothing_is_left_of(owner.id)
    assert selectors.left_of_the_erased() == []
