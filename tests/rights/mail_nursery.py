"""Run as a program: queues and sends one mail to each of many customers, killed again and again in the middle.

Takes the number of customers and of kills; prints one JSON object. Its environment names the database and the folders.
Customers are rows without keys, and the address comes from a stand-in: what is tried here is the queue, not the vault.
"""

# ruff: noqa: E402 - the rooms can be imported only after Django is set up

import contextlib
import datetime as dt
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

os.environ["DJANGO_SETTINGS_MODULE"] = "headshotly.frontdoor.settings"

import django

django.setup()

from django.core.management import call_command
from django.db import connections

from headshotly.accounts.models import Customer
from headshotly.policy import clock, configuration
from headshotly.rights import mailing
from headshotly.rights.models import Delivery, Publication
from headshotly.vendors import posting
from headshotly.vendors.posting import PostState

MAILBOXES = configuration.current().mail_folder
PAUSE = dt.timedelta(seconds=0)


def address_of(subject: UUID) -> str:
    return f"{subject}@example.org"


def quick() -> None:
    """A killed process loses nothing that the system has; only a power cut needs the slower settings."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "PRAGMA synchronous=OFF" if connections["default"].vendor == "sqlite" else "SET synchronous_commit=OFF"
        )


def queue() -> None:
    quick()
    mailing.queue_due()


def send() -> None:
    quick()
    posting.Posted.CLAIMED_FOR = PAUSE  # the claims of the killed are free at once
    while mailing.send_due(address_of=address_of):
        pass


def start(role: Callable[[], None]) -> int:
    connections.close_all()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException), Path(os.devnull).open("w") as nowhere:
            sys.stderr = nowhere
            role()
        os._exit(0)
    return child


def killed_after(role: Callable[[], None], enough: Callable[[], bool]) -> bool:
    """Run a role and kill it once something is true; return whether it died of that."""
    child = start(role)
    while not enough():
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def mails() -> int:
    return sum(name.endswith(".eml") for name in os.listdir(MAILBOXES)) if MAILBOXES.is_dir() else 0  # noqa: PTH208


def main(customers: int, kills: int) -> dict[str, object]:
    for alias in ("default", "journal"):
        call_command("migrate", database=alias, verbosity=0)
    now = clock.now()
    rows = [
        Customer(
            id=uuid4(), email_sealed=b"", email_index=uuid4().bytes, name_sealed=b"", confirmed_at=now, created_at=now
        )
        for _ in range(customers)
    ]
    Customer.objects.bulk_create(rows, batch_size=500)
    publication = Publication.objects.create(
        document="security-policy",
        version="2026-12-01",
        body="Words.",
        sha256="0" * 64,
        summary="Something changed.",
        effective_on=now.date(),
        published_at=now,
        published_by=uuid4(),
    )
    queued = killed_after(queue, lambda: Delivery.objects.count() > customers // 3)
    queue()
    sent = 0
    for number in range(1, kills + 1):
        sent += killed_after(send, lambda mark=number: mails() > customers * mark // (kills + 2))
    send()
    people = {line.split("@")[0] for line in addressed()}
    return {
        "customers": customers,
        "kills while queueing": int(queued),
        "kills while sending": sent,
        "queued": Delivery.objects.count(),
        "sent": Delivery.objects.filter(state=PostState.SENT).count(),
        "mails": mails(),
        "people with a mail": len(people & {str(row.id) for row in rows}),
        "publication": str(publication.id),
    }


def addressed() -> list[str]:
    found = []
    for entry in os.scandir(MAILBOXES):
        for line in Path(entry.path).read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("To: "):
                found.append(line[4:])
                break
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))) + "\n")
