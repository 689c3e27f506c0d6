"""Run as a program: one letter to each of many people in a breach, its sender killed again and again in the middle.

Takes the number of people and of kills; prints one JSON object. Its environment names the database and the folders.
People are rows without keys, and the address comes from a stand-in: what is tried here is the queue, not the vault.
"""

# ruff: noqa: E402 - the rooms can be imported only after Django is set up

import datetime as dt
import json
import os
import sys
from uuid import UUID, uuid4

os.environ["DJANGO_SETTINGS_MODULE"] = "headshotly.frontdoor.settings"

import django

django.setup()

from django.core.management import call_command

from headshotly.incidents import letters
from headshotly.incidents.models import AffectedPerson, Breach, Case, Letter, Notice
from headshotly.policy import clock
from headshotly.vendors import posting
from headshotly.vendors.posting import PostState
from tests.rights.mail_nursery import addressed, killed_after, mails, quick


def address_of(subject: UUID) -> str:
    return f"{subject}@example.org"


def queue() -> None:
    quick()
    letters.queue_due()


def send() -> None:
    quick()
    posting.Posted.CLAIMED_FOR = dt.timedelta(0)  # the claims of the killed are free at once
    while letters.send_due(address_of=address_of):
        pass


def a_breach() -> Notice:
    now = clock.now()
    case = Case.objects.create(
        title="A breach", severity="high", origin="hand", opened_at=now, ladder_at=now, personal_data=True
    )
    breach = Breach.objects.create(
        case=case, recorded_at=now, recorded_by=uuid4(), aware_at=now, cause="attack", spread="unknown"
    )
    said = {"title": "About your data", "headings": [["What happened", ["Somebody copied it."]]]}
    return Notice.objects.create(
        breach=breach, addressee="people", number=1, phase="complete", form="art34-1",
        content={"en": said, "pl": said}, sha256="0" * 64, released_at=now, released_by=uuid4(),
    )  # fmt: skip


def main(people: int, kills: int) -> dict[str, object]:
    for alias in ("default", "journal"):
        call_command("migrate", database=alias, verbosity=0)
    notice = a_breach()
    rows = [AffectedPerson(breach=notice.breach, subject=uuid4(), kinds=["email"]) for _ in range(people)]
    AffectedPerson.objects.bulk_create(rows, batch_size=500)
    queued = killed_after(queue, lambda: Letter.objects.count() > people // 3)
    queue()
    sent = 0
    for number in range(1, kills + 1):
        sent += killed_after(send, lambda mark=number: mails() > people * mark // (kills + 2))
    send()
    notice.refresh_from_db()
    reached = {line.split("@")[0] for line in addressed()}
    return {
        "kills while queueing": int(queued),
        "kills while sending": sent,
        "letters": Letter.objects.count(),
        "sent": Letter.objects.filter(state=PostState.SENT).count(),
        "mails": mails(),
        "people with a mail": len(reached & {str(row.subject) for row in rows}),
        "told": notice.sent_at is not None,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))) + "\n")
