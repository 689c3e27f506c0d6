"""The objectives as Prometheus' recording and alerting rules, for whoever runs one (``infra/prometheus/``)."""

import datetime as dt
import json
from collections.abc import Iterator

from headshotly.frontdoor.objectives import ALARMS, Objective, objectives

_HEAD = "# Made by `headshotly slo rules` from frontdoor/objectives.toml; a test compares the two.\n"
_ENDED = 'sum(rate(headshotly_jobs_total{{end=~"{}"}}[30m]))'
# What is alarmed about besides the objectives: name, expression, for how long, how urgent, and what to do.
_OTHERS = (
    ("JournalDoesNotKeepUp", "max(headshotly_journal_oldest_waiting_seconds) > 60", "5m", "page",
     "Look whether the sequencer runs; entries wait unsigned."),
    ("NobodyReadsTheEvents", "min(headshotly_detector_silent_seconds) > 120", "5m", "page",
     "Start the detector again."),
    ("JobsWaitTooLong", "max(headshotly_queue_oldest_seconds) > 600", "10m", "page",
     "Look whether workers run; start more of them."),
    ("JobsFail",
     f'{_ENDED.format("failed")} > 0.1 * {_ENDED.format("finished|failed")}',
     "10m", "page",
     "One of ten jobs fails; look for job.failed in the log."),
    ("AProgramStandsStill", "time() - max by (program) (headshotly_last_step_timestamp_seconds) > 300", "5m", "page",
     "The program neither works nor waits; look whether it runs, and start it again."),
    ("EntriesWaitUnsigned",
     "max(headshotly_journal_checkpoint_age_seconds) > 60 and max(headshotly_journal_waiting_entries) > 0",
     "5m", "page",
     "Entries wait and no head was signed; look at the sequencer and its witness."),
    ("BackupTooOld",
     'max(headshotly_continuity_age_seconds{what="backup"} / headshotly_continuity_limit_seconds{what="backup"}) > 1',
     "15m", "ticket",
     "Look at Continuity in the console."),
    ("ACaseIsLate", 'max(headshotly_cases{state="late"}) > 0', "1m", "page", "Look at Cases in the console."),
    ("APromiseIsBroken", 'max(headshotly_clauses{verdict="fail"}) > 0', "5m", "page",
     "Look at the trust page: a sentence of the policy does not hold."),
    ("AMetricIsUnreadable", "max by (part) (headshotly_part_unreadable) > 0", "10m", "ticket",
     "Look for metrics.unreadable in the log."),
)  # fmt: skip


def _span(length: dt.timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _recorded(window: dt.timedelta) -> str:
    return f"headshotly:objective_errors:ratio_rate{_span(window)}"


def _records() -> Iterator[str]:
    """Yield one recording rule a window: the share of events that were not good, of every objective at once."""
    windows = sorted({window for alarm in ALARMS for window in (alarm.long, alarm.short)})
    for window in windows:
        # The same number comes from every server, so the greatest one is taken and nothing is added up.
        good = f"max by (objective) (rate(headshotly_objective_good_total[{_span(window)}]))"
        total = f"max by (objective) (rate(headshotly_objective_events_total[{_span(window)}]))"
        yield f"      - record: {_recorded(window)}"
        yield f"        expr: {json.dumps(f'1 - {good} / ({total} > 0)')}"


def _alarms(one: Objective) -> Iterator[str]:
    for alarm in ALARMS:
        limit = f"{alarm.rate * one.budget:.6g}"
        parts = [f'{_recorded(window)}{{objective="{one.id}"}} > {limit}' for window in (alarm.long, alarm.short)]
        words = f"{one.promise}: the error budget burns {alarm.rate:g} times too fast over {_span(alarm.long)}."
        yield f"      - alert: BudgetBurns{alarm.severity.title()}{_span(alarm.long)}"
        yield f"        expr: {json.dumps(' and '.join(parts))}"
        yield f"        labels: {{ severity: {alarm.severity}, objective: {one.id} }}"
        yield f"        annotations: {{ summary: {json.dumps(words)} }}"


def written() -> str:
    """Return the rule file."""
    lines = ["groups:", "  - name: headshotly-objectives", "    interval: 30s", "    rules:", *_records()]
    for one in objectives().values():
        lines += _alarms(one)
    lines += ["  - name: headshotly-service", "    rules:"]
    for name, expression, length, severity, words in _OTHERS:
        lines += [
            f"      - alert: {name}",
            f"        expr: {json.dumps(expression)}",
            f"        for: {length}",
            f"        labels: {{ severity: {severity} }}",
            f"        annotations: {{ summary: {json.dumps(words)} }}",
        ]
    return _HEAD + "\n".join(lines) + "\n"
