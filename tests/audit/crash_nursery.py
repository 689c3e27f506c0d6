"""Run as a program: writers, readers and two sequencers, killed at random; then says what the journal holds.

Takes seconds and a random seed; prints one JSON object. Its environment names the database and the data folder.
"""

# ruff: noqa: E402 - the rooms can be imported only after Django is set up

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "headshotly.frontdoor.settings"

import django

django.setup()

from django.core.management import call_command
from django.db import connections, transaction

from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.audit.models import Entry
from headshotly.audit.selectors import waiting
from headshotly.audit.sequencing import sequence_once
from headshotly.audit.services import record, record_durably
from headshotly.audit.verification import verify
from headshotly.policy import configuration

LOG = configuration.current().data_folder / "said.log"


def say(word: str, entry_id: object) -> None:
    descriptor = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{word} {entry_id}\n".encode())
    os.close(descriptor)


def writer() -> None:
    while True:
        undo = random.random() < 0.2
        with transaction.atomic():
            entry_id = record(actor=SYSTEM, act=Act.OBJECT_SEALED, sealed_details=b"x" * 200)
            transaction.set_rollback(undo)
        say("undone" if undo else "committed", entry_id)
        time.sleep(0.001)


def reader() -> None:
    while True:
        say("opened", record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED))
        time.sleep(0.001)


def sequencer() -> None:
    while True:
        if not sequence_once():
            time.sleep(0.005)


def start(role: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        random.seed()
        try:
            role()
        finally:
            os._exit(3)  # a role ends only by being killed
    return child


def main(seconds: float, seed: int) -> dict[str, object]:
    luck = random.Random(seed)
    for alias in ("default", "journal"):
        call_command("migrate", "audit", database=alias, verbosity=0)
    connections.close_all()
    roles = [writer, writer, reader, sequencer, sequencer]
    alive = {start(role): role for role in roles}
    kills, failures = 0, 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(luck.uniform(0.01, 0.12))
        victim = luck.choice(sorted(alive, key=lambda child: alive[child].__name__))
        os.kill(victim, signal.SIGKILL)
        _, status = os.waitpid(victim, 0)
        failures += not os.WIFSIGNALED(status)
        kills += 1
        role = alive.pop(victim)
        alive[start(role)] = role
    for child in alive:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        failures += not os.WIFSIGNALED(status)
    by_sequencers = Entry.objects.count()
    while sequence_once():
        pass
    said: dict[str, set[str]] = {"committed": set(), "undone": set(), "opened": set()}
    for line in Path(LOG).read_text(encoding="utf-8").splitlines():
        word, entry_id = line.split()
        said[word].add(entry_id)
    held = [str(entry_id) for entry_id in Entry.objects.values_list("entry_id", flat=True)]
    found = verify()
    return {
        "kills": kills,
        "failures": failures,
        "said": len(said["committed"]) + len(said["opened"]),
        "lost": len((said["committed"] | said["opened"]) - set(held)),
        "doubled": len(held) - len(set(held)),
        "undone but held": len(said["undone"] & set(held)),
        "unsaid": len(set(held) - said["committed"] - said["opened"]),
        "by sequencers": by_sequencers,
        "waiting": waiting(),
        "verified": found.entries,
        "damaged": found.damaged,
        "witnessed": found.witnessed,
    }


if __name__ == "__main__":
    print(json.dumps(main(float(sys.argv[1]), int(sys.argv[2]))))  # noqa: T201 - its answer
