"""Shoots: started by their owner only, made once, stopped cleanly, deleted wholly; workers may die at any moment."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from headshotly.frontdoor import worker as worker_module
from headshotly.frontdoor.models import TaskLease
from headshotly.frontdoor.worker import ATTEMPTS_MAX, LEASE, reap
from headshotly.policy import clock, configuration
from headshotly.purposes import services as purposes
from headshotly.purposes.errors import ConsentMissing
from headshotly.purposes.texts import HEADSHOT_GENERATION
from headshotly.studio import selectors, services, tasks
from headshotly.studio.errors import LimitReached, NotFound, NotNow, StyleUnknown
from headshotly.studio.models import Headshot, Photo, Shoot, ShootState
from headshotly.vault import services as vault
from headshotly.vault.errors import StoreFull
from headshotly.vault.models import StoredObject
from tests.studio.naming import object_ids_in_use

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def photo(person, shared: Path) -> Photo:
    data = (shared / "photos" / "good" / "tf_grace_hopper.jpg").read_bytes()
    received = services.receive_photo(actor=person.actor, subject=person.id, data=data)
    assert received.photo is not None
    return received.photo


def start(person, photo: Photo, *styles: str) -> Shoot:
    return services.start_shoot(
        actor=person.actor, subject=person.id, photo_ids=[photo.id], style_ids=styles or ["studio-grey"]
    )


@pytest.mark.clause("1.1.d")
def test_nothing_happens_without_consent(make_person, shared: Path) -> None:
    nobody = make_person(consent=False)
    with pytest.raises(ConsentMissing):
        services.receive_photo(actor=nobody.actor, subject=nobody.id, data=b"x")
    with pytest.raises(ConsentMissing):
        services.start_shoot(actor=nobody.actor, subject=nobody.id, photo_ids=[uuid4()], style_ids=["studio-grey"])


def test_a_refused_photo_is_not_kept(person, shared: Path) -> None:
    data = (shared / "photos" / "derived" / "blurry_timscott.jpg").read_bytes()
    received = services.receive_photo(actor=person.actor, subject=person.id, data=data)
    assert received.photo is None
    assert StoredObject.objects.count() == 0


def test_somebody_elses_photo_is_not_there(person, make_person, photo: Photo) -> None:
    eve = make_person("eve@example.org")
    for act in (
        lambda: start(eve, photo),
        lambda: services.delete_photo(actor=eve.actor, subject=eve.id, photo_id=photo.id),
        lambda: services.photo_of(eve.id, photo.id),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_shoot_needs_photos_and_known_styles_and_has_limits(person, photo: Photo) -> None:
    with pytest.raises(NotNow):
        services.start_shoot(actor=person.actor, subject=person.id, photo_ids=[], style_ids=["studio-grey"])
    with pytest.raises(StyleUnknown):
        start(person, photo, "studio-pink")
    for _ in range(services.OPEN_SHOOTS_MAX):
        start(person, photo)
    with pytest.raises(LimitReached):
        start(person, photo)


def test_a_shoot_is_made_once_however_often_it_is_run(person, photo: Photo) -> None:
    shoot = start(person, photo, "studio-grey", "linkedin")
    for _ in range(3):
        tasks.run_shoot.call(str(shoot.id))
    shoot.refresh_from_db()
    assert shoot.state == ShootState.DONE
    assert selectors.progress(shoot)["percent"] == 100
    assert Headshot.objects.filter(shoot=shoot).count() == 2
    assert StoredObject.objects.filter(kind="headshot").count() == 2


def test_two_workers_on_one_shoot_make_each_picture_once(person, photo: Photo, monkeypatch) -> None:
    """As when a worker was stopped for so long that another took over, and then went on."""
    shoot = start(person, photo, "studio-grey")
    real, ran = tasks._write, []

    def write_while_another_finishes(*arguments):
        written = real(*arguments)
        if not ran:
            ran.append(True)
            tasks.run_shoot.call(str(shoot.id))
        return written

    monkeypatch.setattr(tasks, "_write", write_while_another_finishes)
    tasks.run_shoot.call(str(shoot.id))
    assert Headshot.objects.filter(shoot=shoot).count() == 1
    assert StoredObject.objects.filter(kind="headshot").count() == 1


@pytest.mark.clause("1.1.d")
def test_work_stops_when_consent_is_withdrawn(person, photo: Photo) -> None:
    shoot = start(person, photo)
    purposes.withdraw_consent(actor=person.actor, subject=person.id, activity=HEADSHOT_GENERATION)
    shoot.refresh_from_db()
    assert shoot.state == ShootState.CANCELLED, "it ends with the consent, not when a worker looks at it"
    tasks.run_shoot.call(str(shoot.id))
    shoot.refresh_from_db()
    assert shoot.state == ShootState.CANCELLED
    assert Headshot.objects.count() == 0


def test_cancelling_stops_the_work_and_leaves_nothing_half_done(person, photo: Photo, monkeypatch) -> None:
    shoot = start(person, photo)
    real = tasks._write

    def write_and_cancel(*arguments):
        written = real(*arguments)
        services.cancel(actor=person.actor, subject=person.id, shoot_id=shoot.id)
        return written

    monkeypatch.setattr(tasks, "_write", write_and_cancel)
    tasks.run_shoot.call(str(shoot.id))
    shoot.refresh_from_db()
    assert shoot.state == ShootState.CANCELLED
    assert Headshot.objects.count() == 0
    assert StoredObject.objects.filter(kind="headshot").count() == 0
    with pytest.raises(NotNow):
        services.cancel(actor=person.actor, subject=person.id, shoot_id=shoot.id)


def test_a_full_disk_fails_the_shoot_in_plain_words(person, photo: Photo, monkeypatch) -> None:
    shoot = start(person, photo)

    def full(**_):
        raise StoreFull("There is no storage space left, so nothing was saved. Please try again later.")

    monkeypatch.setattr(vault, "write_sealed", full)
    with pytest.raises(StoreFull):
        tasks.run_shoot.call(str(shoot.id))
    shoot.refresh_from_db()
    assert shoot.state == ShootState.FAILED
    assert "no storage space" in selectors.progress(shoot)["sentence"]


def test_a_mistake_of_ours_leaves_nobody_waiting(person, photo: Photo, monkeypatch) -> None:
    shoot = start(person, photo)
    monkeypatch.setattr(tasks, "_make_photo", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tasks.run_shoot.call(str(shoot.id))
    shoot.refresh_from_db()
    assert shoot.state == ShootState.FAILED
    assert "on our side" in shoot.sentence


@pytest.mark.clause("1.2.c")
def test_deleting_everything_leaves_nothing_but_the_receipt(person, photo: Photo) -> None:
    from headshotly.accounts.models import Customer

    shoot = start(person, photo)
    tasks.run_shoot.call(str(shoot.id))
    waiting = start(person, photo)
    kept = services.delete_everything(actor=person.actor, subject=person.id)
    assert len(kept.document["statement"]["objects"]) == 4
    for model in (Customer, Photo, Shoot, Headshot, StoredObject):
        assert model.objects.count() == 0, model
    tasks.run_shoot.call(str(waiting.id))  # the queued task finds nothing to do


def claimed(person, photo: Photo) -> DBTaskResult:
    start(person, photo)
    task = DBTaskResult.objects.get()
    task.claim("a worker that died")
    return task


def test_a_task_without_lease_waits_for_its_worker_first(person, photo: Photo) -> None:
    claimed(person, photo)
    assert reap() == 0
    DBTaskResult.objects.update(started_at=clock.now() - LEASE)
    assert reap() == 1
    assert DBTaskResult.objects.get().status == TaskResultStatus.READY


def test_a_poisonous_task_is_given_up_in_plain_words(person, photo: Photo) -> None:
    task = claimed(person, photo)
    past = clock.now() - LEASE
    TaskLease.objects.create(task_id=task.id, worker="dead", attempts=ATTEMPTS_MAX, expires_at=past)
    assert reap() == 0, "somebody may have claimed it this moment and be about to take the lease"
    DBTaskResult.objects.update(started_at=past)
    assert reap() == 1
    assert DBTaskResult.objects.get().status == TaskResultStatus.FAILED
    shoot = Shoot.objects.get()
    assert shoot.state == ShootState.FAILED
    assert "several times" in shoot.sentence


_WORKER = """
import datetime as dt, django
django.setup()
from headshotly.frontdoor import worker
worker.LEASE, worker.HEARTBEAT_SECONDS, worker.REAP_EVERY_SECONDS = dt.timedelta(seconds=2), 0.4, 0.3
worker.ATTEMPTS_MAX = 1000
worker.LeasedWorker(interval=0.1).run()
"""


def worker_process() -> "subprocess.Popen[bytes]":
    here = configuration.current()
    names = {alias: connections_name(alias) for alias in ("default", "journal", "keys")}
    program = (
        "from django.conf import settings\n"
        + "".join(f"settings.DATABASES[{alias!r}]['NAME'] = {name!r}\n" for alias, name in names.items())
        + _WORKER
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={**os.environ, "HEADSHOTLY_DATA": str(here.data_folder)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def connections_name(alias: str) -> str:
    from django.db import connections

    return str(connections[alias].settings_dict["NAME"])


def test_a_worker_killed_at_any_moment_neither_loses_nor_doubles_a_job(person, photo: Photo) -> None:
    styles = ["studio-grey", "studio-navy", "linkedin", "cv", "banner", "outdoor"]
    shoot = start(person, photo, *styles)
    dice = random.Random(11)
    kills = 0
    deadline = time.monotonic() + 120
    while True:
        process = worker_process()
        try:
            done, limit = shoot.steps_done, time.monotonic() + 60
            while time.monotonic() < limit and shoot.state != ShootState.DONE:
                shoot.refresh_from_db()
                assert shoot.state != ShootState.FAILED, shoot.sentence
                if kills < 4 and shoot.steps_done > done:  # it is at work: end it somewhere in the next step
                    time.sleep(dice.random() * 0.4)
                    kills += 1
                    break
                time.sleep(0.02)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if shoot.state == ShootState.DONE:
            break
        assert time.monotonic() < deadline
    assert kills >= 2, "the job was over before anybody could be killed"
    made = list(Headshot.objects.filter(shoot=shoot).values_list("style_id", flat=True))
    assert sorted(made) == sorted(styles)
    used = object_ids_in_use()
    services.sweep_unnamed(older_than=clock.now())
    assert set(StoredObject.objects.values_list("id", flat=True)) == used
    assert connection.vendor in {"sqlite", "postgresql"}
    assert worker_module.ATTEMPTS_MAX == ATTEMPTS_MAX
