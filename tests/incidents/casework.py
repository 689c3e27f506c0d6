"""Cases and breaches for the suite: people who handle them, cases to handle, what a breach is known to be."""

import datetime as dt
import json
from uuid import uuid4

from headshotly.audit import selectors as journal
from headshotly.audit import sequencing
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.incidents import breaches, cases
from headshotly.incidents.assessment import Spread
from headshotly.incidents.breaches import Circumstance
from headshotly.incidents.models import Breach, Case, Cause
from headshotly.incidents.notice_facts import PARTS
from headshotly.incidents.phases import Origin, Phase, Severity
from headshotly.policy import clock, configuration

OFFICER = Actor(kind="staff", id=uuid4(), role="security-officer")
DPO = Actor(kind="staff", id=uuid4(), role="dpo")
SENTENCE = "A sentence that says what was found and done."


def open_case(severity: Severity = Severity.HIGH, **changes) -> Case:
    fields = {
        "actor": OFFICER,
        "title": "Somebody looked at photos",
        "words": "One member opened thirty photos without a ticket.",
        "severity": severity,
        "origin": Origin.HAND,
    }
    return cases.open_case(**(fields | changes))


def taken(**changes) -> Case:
    case = open_case(**changes)
    return cases.take(actor=OFFICER, number=case.number)


def circumstance(**changes) -> Circumstance:
    now = clock.now()
    known = {
        "aware_at": now,
        "began_at": now - dt.timedelta(hours=3),
        "ended_at": now - dt.timedelta(hours=1),
        "cause": Cause.INSIDER,
        "spread": Spread.UNKNOWN,
        "malicious": True,
        "consequences": ("control", "fakes"),
    }
    return Circumstance(**(known | changes))


def breach_of(case: Case, **changes) -> Breach:
    return breaches.record(actor=DPO, number=case.number, known=circumstance(**changes))


def all_words() -> dict[str, dict[str, str]]:
    return {
        part: {"en": f"English words about {part}.", "pl": f"Polskie słowa: {part}, zażółć gęślą jaźń."}
        for part in PARTS
    }


def move_to(case: Case, phase: Phase) -> None:
    """Walk a taken case forward to a phase."""
    order = list(Phase)
    while Phase(cases.get(case.number).phase) is not phase:
        here = Phase(cases.get(case.number).phase)
        cases.move(actor=OFFICER, number=case.number, to=order[order.index(here) + 1], words=SENTENCE)


def sequenced() -> None:
    while journal.waiting():
        sequencing.sequence_once()


def acts() -> list[Act]:
    """Every act in the journal, oldest first."""
    from headshotly.audit.leaf import decode
    from headshotly.audit.models import Entry

    sequenced()
    return [decode(bytes(entry.leaf)).act for entry in Entry.objects.order_by("index")]


def hooks_written() -> list[dict]:
    """What was posted to chats and pagers, oldest first."""
    folder = configuration.current().mail_folder / "webhooks"
    return [
        json.loads(path.read_text()) for path in sorted(folder.glob("*.json"), key=lambda one: one.stat().st_mtime_ns)
    ]
