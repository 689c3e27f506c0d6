"""The disaster-recovery plan: a document people read and the drill executes (clause 6.2.a)."""

import datetime as dt
import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from headshotly.policy.enforcement import enforces

FILE = Path(__file__).with_name("plan.toml")


@dataclass(frozen=True, slots=True)
class Objectives:
    """What the plan promises.

    Attributes:
        recovery: from the decision to restore until the service answers.
        data_loss: between the last backup and the loss.
        backup_age: how old the newest whole backup may be.
        mirror_age: how old a mirror of keys and erasures may be.
        drill_every: how old the last passed drill may be.
    """

    recovery: dt.timedelta
    data_loss: dt.timedelta
    backup_age: dt.timedelta
    mirror_age: dt.timedelta
    drill_every: dt.timedelta


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        id: short name.
        title: in a few words.
        who: does it.
        text: how.
        act: what the drill does for it.
    """

    id: str
    title: str
    who: str
    text: str
    act: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan.

    Attributes:
        title: of the document.
        owner: role that answers for it.
        scope: what it is for.
        review_every: how old a review may be.
        objectives: what it promises.
        roles: role → what it does.
        steps: in order.
        sha256: of the document's bytes, hexadecimal.
    """

    title: str
    owner: str
    scope: str
    review_every: dt.timedelta
    objectives: Objectives
    roles: dict[str, str]
    steps: tuple[Step, ...]
    sha256: str


@cache
def plan() -> Plan:
    """Return the plan in force."""
    return read(FILE.read_bytes())


@enforces("6.2.a")
def read(document: bytes) -> Plan:
    """Read a plan.

    Raises:
        ValueError: it has no owner, no steps, two steps of one id, or an objective that is not more than nothing.
    """
    fields = tomllib.loads(document.decode("utf-8"))
    promised = fields["objectives"]
    objectives = Objectives(
        recovery=dt.timedelta(hours=promised["recovery_hours"]),
        data_loss=dt.timedelta(hours=promised["data_loss_hours"]),
        backup_age=dt.timedelta(hours=promised["backup_age_hours"]),
        mirror_age=dt.timedelta(minutes=promised["mirror_age_minutes"]),
        drill_every=dt.timedelta(days=promised["drill_every_days"]),
    )
    steps = tuple(Step(**step) for step in fields["steps"])
    if not fields["owner"] or not steps or len({step.id for step in steps}) < len(steps):
        raise ValueError("a plan has an owner, and steps with an id each")
    if min(*(getattr(objectives, name) for name in Objectives.__slots__)) <= dt.timedelta(0):
        raise ValueError("an objective is more than nothing")
    return Plan(
        title=fields["title"],
        owner=fields["owner"],
        scope=fields["scope"],
        review_every=dt.timedelta(days=fields["review_every_days"]),
        objectives=objectives,
        roles={one["role"]: one["does"] for one in fields["roles"]},
        steps=steps,
        sha256=hashlib.sha256(document).hexdigest(),
    )
