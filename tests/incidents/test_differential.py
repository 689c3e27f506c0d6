"""Every rule decides on 100,000 mixed events exactly as pySigma's SQLite backend does."""

import re
import sqlite3
from collections import defaultdict
from pathlib import Path

import pytest
from sigma.backends.sqlite import sqliteBackend
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import ValueListPlaceholderTransformation

from bench.incident_events import PLACEHOLDERS, Mixture, sigma_rules
from headshotly.incidents import rulebook
from headshotly.incidents.flattening import Readable, text_of
from headshotly.incidents.rulebook import LogSource

EVENTS = 100_000


@pytest.fixture(scope="module")
def public(shared: Path) -> Path:
    folder = shared / "sigma"
    assert folder.is_dir(), "the public rules are missing: put them in ../shared/sigma"
    return folder


def test_the_public_rules_run_unchanged_and_keep_their_authors(public: Path) -> None:
    book = rulebook.load([public], placeholders=PLACEHOLDERS)
    files = list(public.rglob("*.yml"))
    assert len(book.rules) == len(files) == 89
    assert book.refused == ()
    assert all(rule.author for rule in book.rules)
    unfilled = rulebook.load([public])
    assert [one.reason for one in unfilled.refused] == ["It has a placeholder that nobody filled."]


def regexp(expression: str, value) -> bool:
    return value is not None and re.search(expression, str(value)) is not None


def database(events: list[tuple[LogSource, dict]], asked: set[str]) -> tuple[sqlite3.Connection, list[LogSource]]:
    """Return the events as rows of one table for each log source."""
    base = sqlite3.connect(":memory:")
    base.create_function("REGEXP", 2, regexp)
    by_source = defaultdict(list)
    for number, (source, fields) in enumerate(events):
        by_source[source].append((number, fields))
    names = sorted({name for _, fields in events for name in fields} | (asked - {"_text"}))
    for place, rows in enumerate(by_source.values()):
        columns = ", ".join(f'"{name}" COLLATE NOCASE' for name in names)
        base.execute(f"CREATE TABLE t{place} (_id, _text COLLATE NOCASE, {columns})")
        marks = ", ".join("?" * (len(names) + 2))
        base.executemany(
            f"INSERT INTO t{place} VALUES ({marks})",
            [(number, text_of(fields), *(fields.get(name) for name in names)) for number, fields in rows],
        )
    return base, list(by_source)


@pytest.mark.clause("8.2.b")
def test_every_rule_hits_what_sqlite_hits(public: Path) -> None:
    folders = [public, rulebook.OWN]
    mixture = Mixture(sigma_rules(folders), seed=20261127)
    events = [mixture.event() for _ in range(EVENTS)]
    book = rulebook.load(folders, placeholders=PLACEHOLDERS)
    ours = defaultdict(set)
    for number, (source, fields) in enumerate(events):
        for rule in book.matches(source, Readable(fields)):
            ours[rule.id].add(number)
    backend = sqliteBackend(
        ProcessingPipeline(items=[ProcessingItem(ValueListPlaceholderTransformation())], vars=PLACEHOLDERS),
        fulltext_field="_text",
    )
    base, sources = database(events, {name for rule in sigma_rules(folders) for name in backend.required_fields(rule)})
    compared, hits = 0, 0
    for rule in sigma_rules(folders):
        compiled = next(one for one in book.rules if one.id == str(rule.id))
        query = backend.convert_rule(rule)[0].removeprefix("SELECT * FROM logs WHERE ")
        theirs = set()
        for place, source in enumerate(sources):
            if compiled.source.takes(source):
                theirs |= {row[0] for row in base.execute(f"SELECT _id FROM t{place} WHERE {query}")}
        assert ours[str(rule.id)] == theirs, f"{rule.title}: {query}"
        compared += 1
        hits += len(theirs)
    assert compared == 89 + 28
    assert hits > EVENTS / 4, "the events hardly touch the rules"
    assert [rule.title for rule in book.rules if not ours[rule.id]] == [], "some rules never matched"
