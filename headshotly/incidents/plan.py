"""The incident response plan, from ``plan.toml``: the console's page and ``docs/incidents.md`` are made of it."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from headshotly.incidents import escalation, phases
from headshotly.incidents.containment import MEASURES
from headshotly.incidents.escalation import Duty
from headshotly.incidents.phases import Phase, Severity
from headshotly.incidents.spans import span
from headshotly.policy.enforcement import enforces

_FILE = Path(__file__).resolve().parent / "plan.toml"


@dataclass(frozen=True, slots=True)
class Role:
    """A role in an incident."""

    duty: Duty
    title: str
    does: str
    who: str


@dataclass(frozen=True, slots=True)
class Procedure:
    """What is done in a phase.

    Attributes:
        phase: which.
        begins: with what it begins.
        steps: in order.
        over: the question that must be answered before it is left.
    """

    phase: Phase
    begins: str
    steps: tuple[str, ...]
    over: str


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to reach outside, and how."""

    who: str
    how: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan."""

    version: str
    owner: str
    summary: str
    roles: tuple[Role, ...]
    procedures: tuple[Procedure, ...]
    contacts: tuple[Contact, ...]


@cache
@enforces("8.1.a-b")
def plan() -> Plan:
    """Return the plan.

    Raises:
        ValueError: a role or a phase that the software knows is missing from it, or the other way round.
    """
    fields = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    roles = tuple(Role(Duty(one["duty"]), one["title"], one["does"], one["who"]) for one in fields["role"])
    procedures = tuple(
        Procedure(Phase(one["id"]), one["begins"], tuple(one["steps"]), phases.QUESTIONS[Phase(one["id"])])
        for one in fields["phase"]
    )
    if [role.duty for role in roles] != list(Duty) or [one.phase for one in procedures] != list(phases.QUESTIONS):
        raise ValueError("the plan must speak of every duty and every phase, in their order")
    contacts = tuple(Contact(one["who"], one["how"]) for one in fields["contact"])
    return Plan(fields["version"], fields["owner"], fields["summary"], roles, procedures, contacts)


def _limits() -> list[str]:
    lines = ["| severity | taken within | contained within | closed within |", "|---|---|---|---|"]
    for severity in Severity:
        limits = phases.LIMITS[severity]
        lines.append(
            f"| {severity.label} | {span(limits.acknowledge)} | {span(limits.contain)} | {span(limits.close)} |"
        )
    return lines


def _ladders() -> list[str]:
    lines = ["| severity | nobody took it for | called | through |", "|---|---|---|---|"]
    for severity in Severity:
        for step in escalation.LADDERS[severity]:
            duties = ", ".join(duty.label for duty in step.duties)
            channels = ", ".join(channel.label.lower() for channel in step.channels)
            lines.append(
                f"| {severity.label} | {span(step.after) if step.after else 'at once'} | {duties} | {channels} |"
            )
    return lines


def as_markdown() -> str:
    """Return the plan as the document in ``docs/``."""
    found = plan()
    lines = [
        "# Incident response plan",
        "",
        "Made from `headshotly/incidents/plan.toml` and the tables in the code, and compared with them by",
        "`tests/incidents/test_readiness.py`; change it there. The same plan is a page of the console.",
        "",
        f"Version {found.version}. Owner: {found.owner}. {found.summary}",
        "",
        "## Roles",
        "",
        *[f"- **{role.title}**: {role.does} {role.who}" for role in found.roles],
        "",
        "## Clocks",
        "",
        *_limits(),
        "",
        "## Escalation",
        "",
        *_ladders(),
        "",
        "## Phases",
    ]
    for number, one in enumerate(found.procedures, start=1):
        lines += ["", f"### {number}. {one.phase.label}", "", one.begins, ""]
        lines += [f"- {step}" for step in one.steps]
        lines += ["", f"Over when the case answers: *{one.over}*"]
    lines += ["", "## Containment", "", "| button | what it does | undone by |", "|---|---|---|"]
    for measure in MEASURES.values():
        undone = "the same page" if measure.undo else "itself"
        lines.append(f"| {measure.label} | {measure.effect} | {undone} |")
    lines += ["", "## Contacts outside", ""]
    lines += [f"- **{one.who}**: {one.how}" for one in found.contacts]
    return "\n".join(lines) + "\n"
