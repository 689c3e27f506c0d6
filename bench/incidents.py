"""How fast events are decided: ``python -m bench.incidents [--events N]``.

From delivered bytes to the list of rules that match, with all public rules and ours, one core; beside it, in turns, the
same events through pySigma's SQLite backend in batches as Zircolite does it (decode, flatten, insert, one query a rule;
rules go to the events of their log source only, which Zircolite itself does not do). Then one event alone, and a burst
in one correlation's group.
"""

import argparse
import json
import random
import sqlite3
import statistics
import time
from collections import defaultdict
from pathlib import Path

from sigma.backends.sqlite import sqliteBackend
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import ValueListPlaceholderTransformation

from bench.incident_events import PLACEHOLDERS, Mixture, as_cloudtrail, sigma_rules
from headshotly.incidents import rulebook
from headshotly.incidents.correlating import Condition, Hit, Window
from headshotly.incidents.flattening import Readable, flatten, text_of

PUBLIC = Path(__file__).resolve().parents[2] / "shared" / "sigma"
BATCH = 1000
ROUNDS = 5


def events(count: int, folders: list[Path]) -> list[tuple[rulebook.LogSource, bytes]]:
    """Return delivered bytes: one in ten drawn from the rules, the others what a quiet day looks like."""
    mixture, chance = Mixture(sigma_rules(folders), seed=7), random.Random(7)
    made = []
    for number in range(count):
        if number % 10 == 0:
            source, fields = mixture.event()
            made.append((source, as_cloudtrail(fields, number)))
        else:
            made.append(_quiet(number, chance))
    return made


def _quiet(number: int, chance: random.Random) -> tuple[rulebook.LogSource, bytes]:
    if number % 2:
        name = chance.choice(("DescribeInstances", "GetObject", "AssumeRole", "Decrypt", "PutLogEvents"))
        fields = {"eventName": name, "eventSource": "ec2.amazonaws.com", "awsRegion": "eu-north-1"}
        fields |= {
            "userIdentity.type": "AssumedRole",
            "userIdentity.arn": f"arn:aws:sts::1:assumed-role/web/{number % 50}",
        }
        fields |= {"sourceIPAddress": f"10.0.{number % 7}.{number % 250}", "userAgent": "aws-sdk-python/1.40"}
        fields |= {"requestParameters.bucketName": "photos", "requestParameters.key": f"{number:x}"}
        return rulebook.LogSource("", "aws", "cloudtrail"), as_cloudtrail(fields, number)
    path = chance.choice(("/", "/studio/", "/account/sign-in/", "/opened/", "/studio/shoots/2f0c8e/"))
    line = {"cs-method": "GET", "cs-uri-stem": path, "cs-uri-query": f"{path}?page={number}", "sc-status": 200}
    line |= {
        "cs-user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140",
        "c-ip": f"ip-{number % 997:x}",
    }
    return rulebook.LogSource("webserver", "headshotly", "web"), json.dumps(line).encode()


def ours(book: rulebook.Rulebook, made: list[tuple[rulebook.LogSource, bytes]]) -> int:
    found = 0
    for source, data in made:
        found += len(book.matches(source, Readable(flatten(json.loads(data)))))
    return found


class Batches:
    """Zircolite's way: a table of a batch, one query a rule."""

    def __init__(self, book: rulebook.Rulebook, folders: list[Path], *, routed: bool) -> None:
        """Take the rules; routed ones run on the events of their log source only, others on everything."""
        self._routed = routed
        pipeline = ProcessingPipeline(
            items=[ProcessingItem(ValueListPlaceholderTransformation())], vars=dict(PLACEHOLDERS)
        )
        backend = sqliteBackend(pipeline, fulltext_field="_text")
        self._queries = []
        self._columns: set[str] = set()
        by_id = {rule.id: rule for rule in book.rules}
        for rule in sigma_rules(folders):
            query = backend.convert_rule(rule)[0].removeprefix("SELECT * FROM logs WHERE ")
            self._queries.append((by_id[str(rule.id)].source, query))
            self._columns |= set(backend.required_fields(rule)) - {"_text"}

    def run(self, made: list[tuple[rulebook.LogSource, bytes]]) -> int:
        """Return how many hits there are."""
        found = 0
        for start in range(0, len(made), BATCH):
            found += self._batch(made[start : start + BATCH])
        return found

    def _batch(self, made: list[tuple[rulebook.LogSource, bytes]]) -> int:
        base, found = sqlite3.connect(":memory:"), 0
        base.create_function("REGEXP", 2, _regexp)
        by_source = defaultdict(list)
        for source, data in made:
            by_source[source if self._routed else made[0][0]].append(flatten(json.loads(data)))
        for place, (source, rows) in enumerate(by_source.items()):
            names = sorted({name for fields in rows for name in fields} | self._columns)
            spelled = ", ".join(f'"{name}" COLLATE NOCASE' for name in names)
            base.execute(f"CREATE TABLE t{place} (_text COLLATE NOCASE, {spelled})")
            marks = ", ".join("?" * (len(names) + 1))
            base.executemany(
                f"INSERT INTO t{place} VALUES ({marks})",  # noqa: S608 - numbers of our own
                [(text_of(fields), *(_plain(fields.get(name)) for name in names)) for fields in rows],
            )
            for wanted, query in self._queries:
                if not self._routed or wanted.takes(source):
                    found += base.execute(f"SELECT count(*) FROM t{place} WHERE {query}").fetchone()[0]  # noqa: S608
        base.close()
        return found


def _regexp(expression: str, value: object) -> bool:
    import re

    return value is not None and re.search(expression, str(value)) is not None


def _plain(value: object) -> object:
    return json.dumps(value) if isinstance(value, tuple) else value


def single(book: rulebook.Rulebook, made: list[tuple[rulebook.LogSource, bytes]]) -> tuple[float, float]:
    """Return the median and 99th percentile of one event alone, in microseconds."""
    taken = []
    for source, data in made[:20_000]:
        began = time.perf_counter_ns()
        book.matches(source, Readable(flatten(json.loads(data))))
        taken.append((time.perf_counter_ns() - began) / 1000)
    cuts = statistics.quantiles(taken, n=100)
    return statistics.median(taken), cuts[98]


def burst(count: int) -> float:
    """Return seconds for so many hits in one group of a “ten in fifteen minutes” correlation."""
    window = Window(Condition(kind="event_count", span=900, threshold=10))
    began = time.perf_counter()
    for number in range(count):
        window.add(Hit(number / 1000, number + 1, "r"))
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    count = parser.parse_args().events
    folders = [PUBLIC, rulebook.OWN]
    if not PUBLIC.is_dir():
        raise SystemExit(f"the public rules are missing: put them in {PUBLIC}")
    book = rulebook.load(folders, placeholders=PLACEHOLDERS)
    made = events(count, folders)
    rivals = {
        "SQLite, as Zircolite": Batches(book, folders, routed=False),
        "SQLite, routed": Batches(book, folders, routed=True),
    }
    rates: dict[str, list[float]] = {name: [] for name in ("ours", *rivals)}
    ours(book, made[:1000])
    for _ in range(ROUNDS):
        began = time.perf_counter()
        mine = ours(book, made)
        rates["ours"].append(count / (time.perf_counter() - began))
        for name, rival in rivals.items():
            began = time.perf_counter()
            theirs = rival.run(made)
            rates[name].append(count / (time.perf_counter() - began))
        assert mine == theirs, f"{mine} hits against {theirs} of the routed rival"
    middle = {name: statistics.median(values) for name, values in rates.items()}
    p50, p99 = single(book, made)
    print(f"{len(book.rules)} rules, {len(book.correlations)} correlations, {count} events, {mine} hits by both")
    for name, rate in middle.items():
        print(f"{name}: {rate:,.0f} events a second and core; ours is {middle['ours'] / rate:.1f}x (target 3x)")
    print(f"one event alone: median {p50:.1f} µs, 99th percentile {p99:.1f} µs (target under 1000)")
    small, large = (
        statistics.median(burst(50_000) for _ in range(3)),
        statistics.median(burst(100_000) for _ in range(3)),
    )
    print(f"a burst in one group: 50,000 hits {small:.3f} s, 100,000 {large:.3f} s, {large / small:.1f}x (linear: 2x)")


if __name__ == "__main__":
    main()
