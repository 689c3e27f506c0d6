"""Workers that are killed while they work. Run as a program of its own, in a data folder of its own.

    python -m tests.frontdoor.arena SCENE…

Everything is real (queue, lease, journal, vault, processes, signals) but the pictures, which are small noise, so that
hundreds of steps fit into seconds. Prints one JSON object: what was left after each scene.
"""

import contextlib
import datetime as dt
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import django

django.setup()

import numpy as np  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django_tasks_db.models import DBTaskResult  # noqa: E402

from headshotly.audit.actor import Actor  # noqa: E402
from headshotly.audit.acts import Act  # noqa: E402
from headshotly.audit.leaf import decode  # noqa: E402
from headshotly.audit.models import PendingEntry  # noqa: E402
from headshotly.frontdoor import broker, queueing, worker  # noqa: E402
from headshotly.frontdoor.models import Announcement, TaskLease  # noqa: E402
from headshotly.policy import clock, configuration  # noqa: E402
from headshotly.purposes import services as purposes  # noqa: E402
from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text  # noqa: E402
from headshotly.studio import decoding, services, tasks  # noqa: E402
from headshotly.studio import engine as engines  # noqa: E402
from headshotly.studio.models import Headshot, Photo, Shoot, ShootState  # noqa: E402
from headshotly.vault import services as vault  # noqa: E402
from headshotly.vault import wiring  # noqa: E402
from headshotly.vault.models import StoredObject  # noqa: E402
from tests.studio.naming import object_ids_in_use  # noqa: E402

STYLES = ["studio-grey", "studio-white", "studio-navy", "linkedin"]
PHOTOS = 2
SHOOTS = 3
DEADLINE = 45.0
MAKE_PHOTO = tasks._make_photo


class NoiseEngine:
    """Stands in for the portrait engine: two hundredths of a second a picture instead of a second."""

    photos_used = 1

    def prepare(self, picture, *, others=(), progress=lambda _step: None):
        progress("finding the face")
        time.sleep(0.02)
        return picture

    def render(self, _prepared, style):
        time.sleep(0.02)
        return engines.Headshot(picture=np.full((48, 40, 3), len(style.id), np.uint8), notes=())


def make_customer() -> UUID:
    subject = uuid4()
    actor = Actor(kind="customer", id=subject)
    vault.create_customer_key(actor=actor, subject=subject)
    version = current_text(HEADSHOT_GENERATION).version
    purposes.give_consent(actor=actor, subject=subject, activity=HEADSHOT_GENERATION, version=version)
    return subject


def make_photo(subject: UUID) -> Photo:
    actor = Actor(kind="customer", id=subject)
    picture = np.zeros((48, 40, 3), np.uint8)
    kept = [
        vault.seal(actor=actor, subject=subject, kind=kind, purpose=HEADSHOT_GENERATION, plaintext=encode(picture))
        for kind, encode in (("photo", decoding.encode_master), ("preview", decoding.encode_preview))
    ]
    return Photo.objects.create(
        subject=subject, object_id=kept[0], preview_id=kept[1], sentence="", score=1, received_at=clock.now()
    )


def start_shoots(count: int = SHOOTS) -> list[Shoot]:
    shoots = []
    for _ in range(count):
        subject = make_customer()
        photos = [make_photo(subject).id for _ in range(PHOTOS)]
        actor = Actor(kind="customer", id=subject)
        shoots.append(services.start_shoot(actor=actor, subject=subject, photo_ids=photos, style_ids=STYLES))
    return shoots


def fork_worker(before: Callable[[], None] = lambda: None, kind: type = worker.LeasedWorker) -> int:
    """Start a worker process, with everything loaded already, and return its process id."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    try:
        broker.forget()  # its connections are the parent's
        wiring.rewire()
        before()
        leased = kind(interval=0.05)
        leased.configure_signals()
        leased.run()
    finally:
        os._exit(0)


def kill(process: int, number: signal.Signals = signal.SIGKILL) -> int:
    """Send a signal and wait for the end; return the wait status."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)
    return os.waitpid(process, 0)[1]


def waiting(seconds: float = DEADLINE) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.02)
    raise SystemExit("the arena ran out of time: " + json.dumps(state(), default=str))


def open_shoots() -> int:
    return Shoot.objects.filter(state__in=[ShootState.QUEUED, ShootState.RUNNING]).count()


def state() -> dict:
    """Return what is there now, after both sweeps."""
    made = list(Headshot.objects.values_list("shoot_id", "photo_id", "style_id"))
    expected = {
        (shoot.id, UUID(photo), style)
        for shoot in Shoot.objects.all()
        for photo in shoot.photo_ids
        for style in shoot.style_ids
    }
    unnamed = services.sweep_unnamed(older_than=clock.now())
    orphans = vault.sweep_orphans(older_than=dt.timedelta(0))
    used = object_ids_in_use()
    files = {UUID(path.stem) for path in configuration.current().data_folder.rglob("*.sealed")}
    acts = [decode(bytes(row.leaf)).act for row in PendingEntry.objects.all()]
    return {
        "states": sorted(Shoot.objects.values_list("state", flat=True)),
        "sentences": sorted(Shoot.objects.values_list("sentence", flat=True)),
        "tasks": sorted(DBTaskResult.objects.values_list("status", flat=True)),
        "leases": TaskLease.objects.count(),
        "announcements": Announcement.objects.count(),
        "made": len(made),
        "expected": len(expected),
        "doubled": len(made) - len(set(made)),
        "missing": len(expected - set(made)),
        "swept_unnamed": unnamed,
        "swept_orphans": orphans,
        "rows_without_name": len(set(StoredObject.objects.values_list("id", flat=True)) - used),
        "names_without_row": len(used - set(StoredObject.objects.values_list("id", flat=True))),
        "files_without_name": len(files - used),
        "names_without_file": len(used - files),
        "told": told(),
        "journal_made": acts.count(Act.HEADSHOT_MADE),
        "journal_started": acts.count(Act.SHOOT_STARTED),
        "journal_finished": acts.count(Act.SHOOT_FINISHED),
    }


def told() -> dict[str, int]:
    """Return what the event stream was told of tasks, each step once however often it was told."""
    folder = configuration.current().data_folder / "spool" / "worker"
    lines = [json.loads(line) for path in folder.glob("*.ndjson") for line in path.read_text().splitlines()]
    return dict(Counter(what for _, what in {(line["id"], line["what"]) for line in lines if "what" in line}))


def lease_of(seconds: float) -> None:
    worker.LEASE = dt.timedelta(seconds=seconds)
    queueing.AGAIN = worker.LEASE
    worker.HEARTBEAT_SECONDS, worker.REAP_EVERY_SECONDS = seconds / 5, seconds / 4


def plain() -> dict:
    """What django-tasks-db does by itself when its worker is killed: the row says RUNNING for ever."""
    from django_tasks_db.management.commands.db_worker import Worker

    class Unleased(Worker):
        def __init__(self, *, interval: float) -> None:
            super().__init__(
                queue_names=["*"], interval=interval, batch=False, backend_name="default", startup_delay=False,
                max_tasks=None, worker_id=uuid4().hex, excluded_queue_names=[],
            )  # fmt: skip

    start_shoots(1)
    first = fork_worker(kind=Unleased)
    for _ in waiting():
        if Headshot.objects.count() >= 2:
            break
    kill(first)
    second = fork_worker(kind=Unleased)
    time.sleep(4)
    kill(second)
    return state()


def killed(dice: random.Random) -> dict:
    """Two workers on three shoots; one of the two is killed again and again, at a random moment."""
    start_shoots()
    workers = [fork_worker(), fork_worker()]
    kills = 0
    for _ in waiting():
        if not open_shoots() or kills >= 25:
            break
        time.sleep(dice.uniform(0.0, 0.35))
        victim = dice.randrange(2)
        kill(workers[victim])
        kills += 1
        workers[victim] = fork_worker()
    for _ in waiting():
        # A worker killed after its shoot's last step leaves a task that somebody takes once more, to no effect; one that
        # was put back and is done all the same, an order that finds it so.
        waits = DBTaskResult.objects.filter(status__in=["READY", "RUNNING"]).exists() or Announcement.objects.exists()
        if not open_shoots() and not waits:
            break
    for process in workers:
        kill(process)
    return {"kills": kills, **state()}


def halted(*, fails: bool) -> dict:
    """A worker is halted for longer than its lease, another takes over and finishes, and the first goes on, or fails."""

    class HaltingEngine(NoiseEngine):
        def render(self, prepared, style):
            if Headshot.objects.count() == 2:  # no transaction is open here, so nobody waits for a lock of ours
                os.kill(os.getpid(), signal.SIGSTOP)
                if fails:
                    raise RuntimeError
            return super().render(prepared, style)

    def halt() -> None:
        tasks.engine = HaltingEngine

    start_shoots(1)
    slow = fork_worker(before=halt)
    assert os.WIFSTOPPED(os.waitpid(slow, os.WUNTRACED)[1])
    before = Headshot.objects.count()
    second = fork_worker()
    for _ in waiting():
        if not open_shoots():
            break
    os.kill(slow, signal.SIGCONT)
    for _ in waiting():
        if not DBTaskResult.objects.filter(status="RUNNING").exists():
            break
    time.sleep(1)
    for process in (slow, second):
        kill(process)
    return {"before": before, **state()}


def poison() -> dict:
    """A shoot that kills every worker that touches it, beside one that does not."""
    worker.ATTEMPTS_MAX = 3
    start_shoots(2)
    bad = str(Shoot.objects.order_by("created_at").first().id)

    def dies(shoot, *rest):
        if str(shoot.id) == bad:
            os.kill(os.getpid(), signal.SIGKILL)
        return MAKE_PHOTO(shoot, *rest)

    tasks._make_photo = dies
    deaths = 0
    process = fork_worker()
    for _ in waiting():
        if not open_shoots():
            break
        if os.waitpid(process, os.WNOHANG)[0]:
            deaths += 1
            process = fork_worker()
    kill(process)
    return {"deaths": deaths, **state()}


def terminated() -> dict:
    """A worker is told to end in the middle; it ends soon and cleanly, and the next one goes on at once."""
    start_shoots(1)
    lease_of(60)  # whoever waited for this lease would be too late
    first = fork_worker()
    for _ in waiting():
        if Headshot.objects.count() >= 2:
            break
    began = time.monotonic()
    status = kill(first, signal.SIGTERM)
    took = time.monotonic() - began
    after = {"rows": sorted(DBTaskResult.objects.values_list("status", flat=True)), "made": Headshot.objects.count()}
    second = fork_worker()
    for _ in waiting():
        if not open_shoots() and not DBTaskResult.objects.filter(status="RUNNING").exists():
            break
    status_idle = kill(second, signal.SIGTERM)
    return {"status": status, "status_idle": status_idle, "seconds": took, "after": after, **state()}


SCENES: dict[str, Callable[[], dict]] = {
    "plain": plain,
    "halted": lambda: halted(fails=False),
    "halted-fails": lambda: halted(fails=True),
    "poison": poison,
    "terminated": terminated,
    **{f"killed-{seed}": lambda seed=seed: killed(random.Random(seed)) for seed in (1, 2)},
}


def play(scene: str) -> dict:
    """Play one scene on an empty stage."""
    for model in (Headshot, Shoot, Photo, StoredObject, TaskLease, Announcement, DBTaskResult, PendingEntry):
        model.objects.all().delete()
    for path in configuration.current().data_folder.rglob("*.sealed"):
        path.unlink()
    shutil.rmtree(configuration.current().data_folder / "spool", ignore_errors=True)
    tasks.engine, tasks._make_photo = NoiseEngine, MAKE_PHOTO
    lease_of(0.8)
    worker.ATTEMPTS_MAX = 10_000
    return SCENES[scene]()


def main(scenes: list[str]) -> None:
    for alias in ("default", "journal", "keys"):
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    result = {scene: play(scene) for scene in scenes}
    sys.stdout.write(json.dumps({**result, "vendor": connections["default"].vendor}))


if __name__ == "__main__":
    main(sys.argv[1:])
