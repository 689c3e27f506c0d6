"""The trust page's content, from what is known at a moment: for the page, for machines, for the badge."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headshotly.lifecycle import selectors as findings_register
from headshotly.policy import clock, configuration
from headshotly.policy.clauses import clause_of_sentence, sections, text_name
from headshotly.proof import selectors, waiting
from headshotly.proof.findings import Environment
from headshotly.proof.models import CheckRun
from headshotly.proof.scene import environment_of
from headshotly.proof.selectors import CheckState, ClauseState
from headshotly.proof.trust_words import VERDICTS, Said
from headshotly.proof.verdicts import Verdict

FORMAT = "headshotly-trust-1"
_NOT_HELD = (Verdict.FAIL, Verdict.ERROR)


@dataclass(frozen=True, slots=True)
class Part:
    """One heading of the text with what is known of its sentences.

    Attributes:
        level: 2 for a section, 3 for a part of one.
        heading: as published.
        number: of the section, such as ``3``; the anchor of its navigation.
        lines: its sentences in reading order.
    """

    level: int
    heading: str
    number: str
    lines: tuple[ClauseState, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many clauses share a verdict."""

    verdict: Verdict
    said: Said
    number: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the page shows.

    Attributes:
        parts: the text in reading order; every clause is in it exactly once.
        counts: of each verdict that occurs, the worst first.
        broken: clauses that are broken or whose check broke; they stand at the top as well.
        total: how many clauses there are.
        holding: how many hold.
        environment: where this installation's evidence is seen.
        moment: at which all this was computed.
        run: the newest run, None where nobody has looked yet.
        effective: date of the text in force, ISO 8601.
        late_reports: reports of weaknesses past a limit.
        late_findings: findings of scans and penetration tests past their limit.
    """

    parts: tuple[Part, ...]
    counts: tuple[Count, ...]
    broken: tuple[ClauseState, ...]
    total: int
    holding: int
    environment: Environment
    moment: dt.datetime
    run: CheckRun | None
    effective: str
    late_reports: int
    late_findings: int

    @property
    def production(self) -> bool:
        """Say whether what is shown was seen in production."""
        return self.environment is Environment.PRODUCTION


def overview() -> Overview:
    """Return what is known now."""
    states = selectors.states()
    judged = [one.judgement.verdict for one in states.values()]
    return Overview(
        parts=_parts(states),
        counts=tuple(Count(one, VERDICTS[one], judged.count(one)) for one in Verdict if one in judged),
        broken=tuple(one for one in states.values() if one.judgement.verdict in _NOT_HELD),
        total=len(states),
        holding=judged.count(Verdict.PASS),
        environment=environment_of(configuration.current()),
        moment=clock.now(),
        run=selectors.latest_run(),
        effective=text_name()[:10],
        late_reports=waiting.counts().late,
        late_findings=findings_register.overdue_count(),
    )


def _parts(states: Mapping[str, ClauseState]) -> tuple[Part, ...]:
    found, number = [], ""
    for section in sections():
        if section.level == 1:
            continue
        if section.level == 2:  # noqa: PLR2004 - a section of the text, “## 3. Encryption”
            number = section.heading.partition(".")[0]
        lines = tuple(states[clause_of_sentence(sentence).id] for sentence in section.sentences)
        found.append(Part(section.level, section.heading, number, lines))
    return tuple(found)


def contents(shown: Overview) -> list[dict[str, Any]]:
    """Return the sections for the navigation, each with how many of its promises do not hold."""
    found: dict[str, dict[str, Any]] = {}
    for part in shown.parts:
        entry = found.setdefault(part.number, {"number": part.number, "heading": part.heading, "open": 0, "bad": 0})
        entry["open"] += sum(line.judgement.verdict is not Verdict.PASS for line in part.lines)
        entry["bad"] += sum(line.judgement.verdict in _NOT_HELD for line in part.lines)
    return list(found.values())


def as_document(shown: Overview) -> dict[str, Any]:
    """Return the page for machines; the format is in ``docs/formats/trust.md``."""
    here = configuration.current()
    return {
        "format": FORMAT,
        "operator": here.operator.name,
        "address": f"{here.public_url}/trust/policy.json",
        "environment": shown.environment.value,
        "computed_at": _plain(shown.moment),
        "policy": {"effective": shown.effective, "address": f"{here.public_url}/trust/"},
        "run": None if shown.run is None else _run(shown.run),
        "findings_past_limit": shown.late_findings,
        "counts": {one.verdict.value: one.number for one in shown.counts},
        "clauses": [_clause(line) for part in shown.parts for line in part.lines],
    }


def _run(run: CheckRun) -> dict[str, Any]:
    return {"id": str(run.id), "ended_at": _plain(run.ended_at), "source": run.source, "sha256": run.sha256}


def _clause(line: ClauseState) -> dict[str, Any]:
    return {
        "clause": line.clause.id,
        "sentence": line.clause.sentence,
        "kind": line.clause.kind.value,
        "verdict": line.judgement.verdict.value,
        "reason": line.judgement.reason,
        "observed_at": _plain(line.judgement.observed_at),
        "environment": line.judgement.environment.value if line.judgement.environment else None,
        "known_by": [one.value for one in line.assurances],
        "checks": [_check(one) for one in line.checks],
    }


def _check(one: CheckState) -> dict[str, Any]:
    return {
        "check": one.check.id,
        "words": one.check.words,
        "known_by": one.check.assurance.value,
        "verdict": one.judgement.verdict.value,
        "reason": one.judgement.reason,
        "observed_at": _plain(one.judgement.observed_at),
        "environment": one.judgement.environment.value if one.judgement.environment else None,
        "evidence_sha256": one.evidence.sha256 if one.evidence else None,
    }


def _plain(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(dt.UTC).isoformat(timespec="seconds")
