"""Windows against the plain definition, written once more without any cleverness."""

import random
import statistics
import textwrap
from collections import defaultdict

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from headshotly.incidents import correlating, rulebook
from headshotly.incidents.correlating import Condition, Hit, Window
from headshotly.incidents.detecting import Detector
from headshotly.incidents.ingesting import keep
from headshotly.incidents.models import Alert, CorrelationHit, Event
from tests.incidents.conftest import NOON, seen

SPAN = 10.0
ANY = st.sampled_from(["gte", "gt", "lt", "lte", "eq", "neq"])
EXPRESSIONS = [("and", ("a", "b")), ("or", ("a", ("and", ("b", "c")))), ("and", ("a", ("not", ("c",))))]


def holds(condition: Condition, inside: list[Hit]) -> bool:  # noqa: PLR0911 - one line a kind
    """Decide a window's condition by its definition."""
    compare = correlating.COMPARE[condition.compare]
    numbers = [hit.number for hit in inside if hit.number is not None]
    names = {hit.rule for hit in inside}
    match condition.kind:
        case "event_count":
            return compare(len(inside), condition.threshold)
        case "value_count":
            return compare(len({hit.value for hit in inside}), condition.threshold)
        case "value_sum":
            return bool(numbers) and compare(sum(numbers), condition.threshold)
        case "value_avg":
            return bool(numbers) and compare(sum(numbers) / len(numbers), condition.threshold)
        case "value_median":
            return bool(numbers) and compare(statistics.median(numbers), condition.threshold)
        case "temporal" if condition.expression:
            return true(condition.expression, names)
        case "temporal":
            return compare(len(names & set(condition.rules)), condition.threshold)
    reached, moment = 0, -1.0
    for rule in condition.rules:
        later = [hit.at for hit in inside if hit.rule == rule and hit.at >= moment]
        if not later:
            break
        reached, moment = reached + 1, min(later)
    return compare(reached, condition.threshold)


def true(expression, names: set[str]) -> bool:
    if isinstance(expression, str):
        return expression in names
    joiner, parts = expression
    found = [true(part, names) for part in parts]
    return not found[0] if joiner == "not" else all(found) if joiner == "and" else any(found)


def episodes(condition: Condition, hits: list[Hit]) -> list[tuple[float, float]]:
    """Return first and last firing of every episode."""
    ordered = sorted(hits)
    fired = []
    for place, hit in enumerate(ordered):
        inside = [one for one in ordered[: place + 1] if one.at >= hit.at - condition.span]
        if holds(condition, inside):
            fired.append(hit.at)
    found: list[list[float]] = []
    for moment in fired:
        if found and moment - found[-1][1] <= condition.span:
            found[-1][1] = moment
        else:
            found.append([moment, moment])
    return [(first, last) for first, last in found]


@st.composite
def hits(draw) -> list[Hit]:
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 120), st.sampled_from("abc"), st.integers(0, 4), st.integers(-5, 20)), max_size=40
        )
    )
    return [
        Hit(at / 2, number + 1, rule, str(value), float(size)) for number, (at, rule, value, size) in enumerate(rows)
    ]


@st.composite
def conditions(draw, *, growing: bool) -> Condition:
    kinds = ["event_count", "value_count", "temporal", "temporal_ordered"]
    kind = draw(st.sampled_from(kinds if growing else [*kinds, "value_sum", "value_avg", "value_median"]))
    expressions = EXPRESSIONS[:2] if growing else EXPRESSIONS
    expression = draw(st.none() | st.sampled_from(expressions)) if kind == "temporal" else None
    return Condition(
        kind=kind,
        span=SPAN,
        rules=("a", "b", "c"),
        compare=draw(st.sampled_from(["gte", "gt"]) if growing else ANY),
        threshold=draw(st.integers(1, 4)),
        expression=expression,
    )


def shown(window: Window) -> list[tuple[float, float]]:
    return sorted((one.first, one.last) for one in window.episodes)


@pytest.mark.clause("8.2.b")
@given(conditions(growing=False), hits())
def test_in_order_every_kind_fires_as_defined(condition: Condition, given_hits: list[Hit]) -> None:
    window = Window(condition)
    for hit in sorted(given_hits):
        window.add(hit)
    assert shown(window) == episodes(condition, given_hits)


@pytest.mark.clause("8.2.b")
@given(conditions(growing=True), hits(), st.randoms(use_true_random=False))
def test_late_hits_lead_to_the_same_episodes(condition: Condition, given_hits: list[Hit], chance) -> None:
    shuffled = list(given_hits)
    chance.shuffle(shuffled)
    window = Window(condition)
    for hit in shuffled:
        window.add(hit)
    assert shown(window) == episodes(condition, given_hits)


@pytest.mark.clause("8.2.b")
@given(conditions(growing=False), hits(), st.randoms(use_true_random=False))
def test_in_any_order_nothing_that_must_be_told_is_missed(condition: Condition, given_hits: list[Hit], chance) -> None:
    """Conditions that a late hit can make fail may tell of more than an in-order reading, never of less (ADR 0121)."""
    shuffled = list(given_hits)
    chance.shuffle(shuffled)
    window, told = Window(condition), set()
    for hit in shuffled:
        window.add(hit)
        now = {moment for moment in told if any(first <= moment <= last for first, last in shown(window))}
        assert now == told, "what was told stays told"
        told |= {moment for episode in shown(window) for moment in episode}
    for first, last in episodes(condition, given_hits):
        assert any(begin <= first and last <= end for begin, end in shown(window))


@given(hits(), st.integers(1, 30))
def test_a_window_read_from_storage_goes_on_as_if_never_gone(given_hits: list[Hit], cut: int) -> None:
    condition = Condition(kind="event_count", span=SPAN, threshold=3)
    ordered = sorted(given_hits)
    first = Window(condition)
    for hit in ordered[:cut]:
        first.add(hit)
    second = Window(condition, first.hits, first.episodes)
    for hit in ordered[cut:]:
        second.add(hit)
    assert shown(second) == episodes(condition, given_hits)


def test_percentiles_are_interpolated_as_everybody_does() -> None:
    values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    for percent in (5, 50, 90, 95):
        assert correlating._quantile(sorted(values), percent) == pytest.approx(cuts[percent - 1])
    condition = Condition(kind="value_percentile", span=SPAN, percentile=90, threshold=6)
    window = Window(condition)
    fired = [bool(window.add(Hit(float(n), n + 1, "a", number=value))) for n, value in enumerate(values)]
    assert fired == [False, False, False, False, False, True, True, True]


def test_ordered_expressions_ask_for_their_order() -> None:
    condition = Condition(kind="temporal_ordered", span=SPAN, rules=("a", "b"), expression=("and", ("a", "b")))
    assert not any(Window(condition).add(hit) for hit in ())
    right, wrong = Window(condition), Window(condition)
    assert [bool(right.add(Hit(t, t + 1, rule))) for t, rule in ((0, "a"), (1, "b"))] == [False, True]
    assert [bool(wrong.add(Hit(t, t + 1, rule))) for t, rule in ((0, "b"), (1, "a"))] == [False, False]


def test_a_window_s_memory_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(correlating, "HITS_MAX", 100)
    window = Window(Condition(kind="event_count", span=1e9, threshold=50))
    for number in range(1000):
        window.add(Hit(float(number), number + 1, "a"))
    assert len(window.hits) <= 110
    assert shown(window) == [(49.0, 999.0)]


# ── through rules, database, shuffling, duplicates and crashes ───────────────

QUIET_RULES = """
title: Failed
name: failed
id: 00000000-0000-4000-8000-00000000000a
author: A
logsource: {product: test}
detection: {selection: {kind: failed}, condition: selection}
level: informational
---
title: Succeeded
name: succeeded
id: 00000000-0000-4000-8000-00000000000b
author: A
logsource: {product: test}
detection: {selection: {kind: succeeded}, condition: selection}
level: informational
---
title: Failed and never succeeded
id: 00000000-0000-4000-8000-00000000000c
author: A
correlation:
    type: temporal
    rules: [failed, succeeded]
    group-by: [who]
    timespan: 10s
    condition: failed and not succeeded
level: high
---
title: Few failures
id: 00000000-0000-4000-8000-00000000000d
author: A
correlation: {type: event_count, rules: [failed], group-by: [who], timespan: 10s, condition: {lt: 2}}
level: high
"""


@pytest.mark.django_db
@pytest.mark.parametrize("restarted", [False, True])
def test_a_late_event_takes_no_alert_back(tmp_path, restarted) -> None:
    """Else whoever holds an event back could silence what somebody is looking at (ADR 0121)."""
    (tmp_path / "rules.yml").write_text(QUIET_RULES)
    book = rulebook.load([tmp_path])
    assert book.refused == ()
    detector = Detector(book)
    detector.consume(keep([seen(1, at=5, kind="failed", who="x")]))
    told = {alert.title: alert.id for alert in Alert.objects.all()}
    assert set(told) == {"Failed and never succeeded", "Few failures"}
    detector = Detector(book) if restarted else detector
    detector.consume(keep([seen(2, at=4, kind="succeeded", who="x"), seen(3, at=3, kind="failed", who="x")]))
    assert {alert.title: alert.id for alert in Alert.objects.filter(closed_at__isnull=True)} == told


RULES = """
title: First
name: first
id: 00000000-0000-4000-8000-000000000001
author: A
logsource: {product: test}
detection: {selection: {kind: first}, condition: selection}
level: informational
---
title: Second
name: second
id: 00000000-0000-4000-8000-000000000002
author: A
logsource: {product: test}
detection: {selection: {kind: second}, condition: selection}
level: informational
---
title: Three firsts
name: three
id: 00000000-0000-4000-8000-000000000003
author: A
correlation: {type: event_count, rules: [first], group-by: [who], timespan: 10s, condition: {gte: 3}}
level: high
---
title: Both within ten seconds
id: 00000000-0000-4000-8000-000000000004
author: A
correlation: {type: temporal, rules: [first, second], group-by: [who], timespan: 10s}
level: high
---
title: Two places
id: 00000000-0000-4000-8000-000000000005
author: A
correlation:
    type: value_count
    rules: [first, second]
    group-by: [who]
    timespan: 10s
    condition: {gte: 2, field: place}
level: high
---
title: Three firsts, then a second
id: 00000000-0000-4000-8000-000000000006
author: A
correlation: {type: temporal_ordered, rules: [three, second], group-by: [who], timespan: 10s, generate: true}
level: critical
"""


@pytest.fixture
def book(tmp_path) -> rulebook.Rulebook:
    (tmp_path / "rules.yml").write_text(textwrap.dedent(RULES))
    found = rulebook.load([tmp_path])
    assert found.refused == ()
    assert [one.title for one in found.rules if one.alone] == []
    return found


def expected(events) -> set[tuple[str, str, float, float]]:
    """Return title, group, first and last firing of every episode, by definition."""
    kinds = {"first": "r1", "second": "r2"}
    by_who = defaultdict(list)
    for number, one in enumerate(events):
        by_who[one.fields["who"]].append(
            Hit((one.occurred_at - NOON).total_seconds(), number + 1, kinds[one.fields["kind"]], one.fields["place"])
        )
    found = set()
    for who, rows in by_who.items():
        firsts = [hit for hit in rows if hit.rule == "r1"]
        for title, condition, chosen in (
            ("Three firsts", Condition(kind="event_count", span=10, threshold=3), firsts),
            ("Both within ten seconds", Condition(kind="temporal", span=10, rules=("r1", "r2"), threshold=2), rows),
            ("Two places", Condition(kind="value_count", span=10, threshold=2), rows),
        ):
            found |= {(title, who, first, last) for first, last in episodes(condition, chosen)}
    return found


@pytest.mark.clause("8.2.b")
@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(12))
def test_shuffled_repeated_and_crashing_the_alerts_are_the_same(book, seed: int) -> None:
    chance = random.Random(seed)
    events = [
        seen(
            number,
            at=float(chance.randrange(240)),
            kind=chance.choice(("first", "first", "second")),
            who=chance.choice("xyz"),
            place=chance.choice(("Warsaw", "Paris")),
        )
        for number in range(60)
    ]
    wanted = expected(events)
    assert len(wanted) > 5
    deliveries = events + chance.sample(events, 20)
    chance.shuffle(deliveries)
    detector = Detector(book)
    while deliveries:
        piece, rest = deliveries[:7], deliveries[7:]
        try:
            with transaction.atomic():
                detector.consume(keep(piece))
                if chance.random() < 0.3:
                    raise OSError("the machine went down before the commit")  # noqa: TRY301 - that is the point
        except OSError:
            detector = Detector(book)
            continue
        deliveries = rest
        if chance.random() < 0.2:
            detector = Detector(book)
    told = {
        (
            alert.title,
            alert.group["who"],
            (alert.first_event_at - NOON).total_seconds(),
            (alert.last_event_at - NOON).total_seconds(),
        )
        for alert in Alert.objects.filter(closed_at__isnull=True).exclude(title="Three firsts, then a second")
    }
    assert told == wanted
    assert Event.objects.count() == 60


@pytest.mark.django_db
def test_a_correlation_of_a_correlation_needs_its_order_and_group(book) -> None:
    detector = Detector(book)
    rows = [("first", "x", t) for t in (0, 1, 2)] + [("second", "y", 3), ("second", "x", 4), ("second", "x", 30)]
    keeping = [seen(n, at=float(t), kind=kind, who=who, place="") for n, (kind, who, t) in enumerate(rows)]
    for one in keeping:
        detector.consume(keep([one]))
        Detector.forget(detector)
    alert = Alert.objects.get(title="Three firsts, then a second")
    assert alert.group == {"who": "x"}
    assert CorrelationHit.objects.filter(event__lt=0).count() == 1


@pytest.mark.django_db
def test_a_burst_in_one_group_is_one_alert(book) -> None:
    detector = Detector(book)
    rows = [seen(n, at=n / 100, kind="first", who="x", place="") for n in range(3000)]
    for start in range(0, 3000, 500):
        detector.consume(keep(rows[start : start + 500]))
    alert = Alert.objects.get(title="Three firsts")
    assert alert.hits == 3000
    assert len(alert.events) == 100


settings.register_profile("quick", max_examples=60, deadline=None)
settings.load_profile("quick")
