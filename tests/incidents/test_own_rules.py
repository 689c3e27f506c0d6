"""Each of our own rules on the events it must notice and those it must let pass."""

import datetime as dt
import json
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from headshotly.access.warrants import SERVICE_PURPOSES
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.leaf import Leaf
from headshotly.incidents.ingesting import keep
from headshotly.incidents.models import Alert
from headshotly.incidents.observation import Observation
from headshotly.incidents.sources import amazon, gate, heartbeat, journal, suricata, web, work
from tests.incidents.conftest import NOON

CASES = yaml.safe_load(Path(__file__).with_name("rule_events.yml").read_text(encoding="utf-8"))

CANARY = SERVICE_PURPOSES["proof-canary"]
MADE_UP = UUID("98096e31-e26a-57da-9ad7-8748d35d0134")  # ``proof.canary.SUBJECT``


def person(number) -> UUID:
    return UUID(int=int(number), version=4)


def _subject(said: dict) -> UUID | None:
    if said.get("subject") == "canary":
        return MADE_UP
    return person(said["subject"]) if "subject" in said else None


def made(kind: str, said: dict, number: int, at: dt.datetime) -> Observation:
    """Return the event that the source would have made of it."""
    said = {name: number + 1 if value == "each" else value for name, value in said.items()}
    match kind:
        case "journal":
            who, subject = said.get("actor", "visitor"), _subject(said)
            own = CANARY if said.get("id") == "canary" else subject if who == "customer" else person(99)
            leaf = Leaf(
                entry_id=person(number + 1000),
                occurred_at=at,
                actor=Actor(kind=who, id=None if who in {"visitor", "system"} else own, role=""),
                act=Act(said["act"]),
                outcome=Outcome(said.get("outcome", "done")),
                subject=subject,
                purpose=said.get("purpose", ""),
            )
            return journal.observe(leaf, leaf.encode())
        case "web":
            line = {"id": str(number), "at": at.isoformat(), "method": "GET", "query": "", "address": "ip-1"} | said
            return web.observe(line, b"{}")
        case "suricata" | "firewall":
            event = {"timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%f+0000"), "n": number} | said
            beside = {"firewall_name": "headshotly-1", "availability_zone": "eu-central-1a", "event": event}
            return amazon.firewall(beside) if kind == "firewall" else suricata.observe(json.dumps(event).encode())
        case "guardduty":
            return amazon.guardduty(said)
        case "flow":
            said = {"start": str(int(at.timestamp())), "srcaddr": "198.51.100.7", "dstaddr": "10.0.0.1"} | said
            said["dstport"] = str(said["dstport"])
            return amazon.flow(said | {"line": json.dumps([number, said])})
    observe, usual = LEFT[kind]
    return observe({"id": str(number), "at": at.isoformat()} | usual | said, b"{}")


# What a process leaves as a line: who makes an event of it, and what such a line has besides.
LEFT = {
    "gate": (gate.observe, {"vendor": "", "reason": "", "carries": [], "subject": ""}),
    "worker": (work.observe, {"task": str(person(1)), "where": "a.b", "error": ""}),
    "heartbeat": (heartbeat.observe, {}),
}


def sequence(parts: list[dict]) -> list[Observation]:
    found = []
    for listed in parts:
        part = dict(listed)
        times, every, at = part.pop("times", 1), part.pop("every", 0), part.pop("at", 0)
        ((kind, said),) = part.items()
        for turn in range(times):
            moment = NOON + dt.timedelta(seconds=at + turn * every)
            found.append(made(kind, said, len(found), moment))
    return found


LISTED = [
    pytest.param(title, must, parts, id=f"{title}-{'must' if must else 'must-not'}-{place}")
    for title, lists in CASES.items()
    for must, name in ((True, "must"), (False, "must_not"))
    for place, parts in enumerate(lists[name])
]


@pytest.mark.clause("8.2.b")
@pytest.mark.django_db
@pytest.mark.parametrize(("title", "must", "parts"), LISTED)
def test_a_rule_alerts_on_what_it_must_and_on_nothing_else(detector, title: str, must, parts) -> None:
    detector.consume(keep(sequence(parts)))
    assert Alert.objects.filter(title=title).exists() is must


def test_every_rule_that_alerts_has_both_lists(own_book) -> None:
    alone = {one.title for one in (*own_book.rules, *own_book.correlations) if one.alone}
    assert own_book.refused == ()
    assert alone <= set(CASES), alone - set(CASES)
    assert all(CASES[title]["must"] and CASES[title]["must_not"] for title in alone)
    assert set(CASES) <= {one.title for one in (*own_book.rules, *own_book.correlations)}


def test_no_two_rules_share_an_id(own_book) -> None:
    ids = [one.id for one in (*own_book.rules, *own_book.correlations)]
    assert len(ids) == len(set(ids))
