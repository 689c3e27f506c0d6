"""Sigma rules from folders: parsed by pySigma, compiled, routed by log source, indexed by what they ask first."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sigma.collection import SigmaCollection
from sigma.conditions import ConditionAND, ConditionOR, ConditionValueExpression
from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionNOT,
    CorrelationConditionOR,
    SigmaCorrelationRule,
    SigmaCorrelationType,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import ValueListPlaceholderTransformation
from sigma.rule import SigmaRule
from yaml import YAMLError

from headshotly.incidents import matching
from headshotly.incidents.correlating import HITS_MAX, Condition, Expression, Kind
from headshotly.incidents.errors import RuleRefused
from headshotly.incidents.flattening import Readable
from headshotly.policy.enforcement import enforces

OWN = Path(__file__).parent / "sigma"
FILE_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where an event comes from, in Sigma's words; empty means that a rule does not care."""

    category: str = ""
    product: str = ""
    service: str = ""

    def takes(self, event: "LogSource") -> bool:
        """Say whether a rule of this log source looks at an event of that one."""
        return (
            self.category in {"", event.category}
            and self.product in {"", event.product}
            and self.service in {"", event.service}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One compiled rule.

    Attributes:
        id: the rule's UUID, or its name where it has none.
        title: one line.
        author: who wrote it; stays with every alert it raises.
        level: Sigma's.
        description: plain words.
        tags: ATT&CK and others.
        path: file it comes from.
        source: which events it looks at.
        test: decides.
        alone: it raises alerts itself, not only through a correlation.
    """

    id: str
    title: str
    author: str
    level: str
    description: str
    tags: tuple[str, ...]
    path: str
    source: LogSource
    test: matching.Test
    equalities: tuple[tuple[str, frozenset[str]], ...]
    keywords: str
    alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """One correlation over rules or other correlations.

    Attributes:
        id: as of a rule.
        condition: what must hold.
        group_by: names of fields, or of aliases.
        aliases: alias → rule id → field.
        fields: what the value conditions look at.
    """

    id: str
    title: str
    author: str
    level: str
    description: str
    tags: tuple[str, ...]
    path: str
    condition: Condition
    group_by: tuple[str, ...]
    aliases: Mapping[str, Mapping[str, str]]
    fields: tuple[str, ...]
    alone: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule that is not run, and why."""

    path: str
    title: str
    reason: str


class _Route:
    """The rules for one log source, ready to be asked."""

    __slots__ = ("_always", "_indexes", "_keyed", "_keywords")

    def __init__(self, rules: Sequence[Rule]) -> None:
        shared = Counter((name, value) for rule in rules for name, values in rule.equalities for value in values)
        distinct = Counter(name for name, _ in shared)
        tables: dict[str, dict[str, list[Rule]]] = defaultdict(lambda: defaultdict(list))
        self._always: list[Rule] = []
        self._keyed: list[Rule] = []
        for rule in rules:
            if rule.equalities:
                # The field that tells the most rules apart; then the values that the fewest of them share.
                name, values = min(
                    rule.equalities,
                    key=lambda one: (-distinct[one[0]], sum(shared[one[0], value] for value in one[1])),
                )
                for value in values:
                    tables[name][value].append(rule)
            elif rule.keywords:
                self._keyed.append(rule)
            else:
                self._always.append(rule)
        self._indexes = [
            (name, {value: tuple(found) for value, found in table.items()}) for name, table in tables.items()
        ]
        self._keywords = _any_of([rule.keywords for rule in self._keyed])

    def matches(self, event: Readable) -> list[Rule]:
        found = [rule for rule in self._always if rule.test(event)]
        fields = event.fields
        for name, table in self._indexes:
            if name not in fields or (value := event[name]) is None:
                continue
            if value.__class__ is tuple:
                candidates = list(dict.fromkeys(rule for one in value for rule in table.get(one, ())))
            else:
                candidates = table.get(value, ())  # type: ignore[assignment]  # only read
            for rule in candidates:
                if rule.test(event):
                    found.append(rule)  # noqa: PERF401 - mostly there is none
        if self._keywords is not None and self._keywords(event.text):
            found.extend(rule for rule in self._keyed if rule.test(event))
        return found


def _any_of(expressions: Sequence[str]) -> Any:
    """Return what finds whether a text meets any of the expressions, in one pass, or None where there are none.

    Not ``re2.Set``: that one finds nothing, in silence, where a text needs more memory than it was given.
    """
    return matching.searching("|".join(f"(?:{one})" for one in expressions)) if expressions else None


@dataclass(slots=True)
class Rulebook:
    """Every rule that runs, and every one that does not, with the reason."""

    rules: tuple[Rule, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    refused: tuple[Refused, ...] = ()
    _routes: dict[LogSource, _Route] = field(default_factory=dict)

    @enforces("8.2.b")
    def matches(self, source: LogSource, event: Readable) -> list[Rule]:
        """Return the rules that an event meets."""
        route = self._routes.get(source)
        if route is None:
            if len(self._routes) > 500:  # noqa: PLR2004 - a stranger may name services without end
                self._routes.clear()
            route = self._routes[source] = _Route([rule for rule in self.rules if rule.source.takes(source)])
        return route.matches(event)


@enforces("8.2.b")
def load(folders: Iterable[Path], *, placeholders: Mapping[str, Sequence[str]] | None = None) -> Rulebook:
    """Return the rules of folders, read as they are.

    Args:
        folders: looked through at every depth for ``*.yml`` and ``*.yaml``.
        placeholders: what an operator fills ``%name%`` with, by name.

    Raises:
        RuleRefused: a folder is missing; a rule that cannot run is only named in ``refused``.
    """
    parsed: list[tuple[str, SigmaRule | SigmaCorrelationRule]] = []
    refused: list[Refused] = []
    for folder in folders:
        if not folder.is_dir():
            raise RuleRefused(f"The folder of rules {folder} is missing.")
        for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
            _read(path, str(path.relative_to(folder)), parsed, refused)
    rules = _compile_rules(parsed, placeholders or {}, refused)
    correlations = _compile_correlations(parsed, {rule.id for rule in rules}, refused)
    return Rulebook(tuple(rules), tuple(correlations), tuple(refused))


def _read(
    path: Path, name: str, parsed: list[tuple[str, SigmaRule | SigmaCorrelationRule]], refused: list[Refused]
) -> None:
    try:
        parsed.extend((name, rule) for rule in _rules_of(path))
    except (SigmaError, RuleRefused, YAMLError, OSError, ValueError, RecursionError) as error:
        refused.append(Refused(name, path.stem, _reason(error)))


def _rules_of(path: Path) -> list[SigmaRule | SigmaCorrelationRule]:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise RuleRefused("The file is too large for a rule.")
    found = SigmaCollection.from_yaml(path.read_text(encoding="utf-8"), resolve_references=False)
    rules = [rule for rule in found.rules if isinstance(rule, (SigmaRule, SigmaCorrelationRule))]
    if not rules:
        raise RuleRefused("The file holds no rule.")
    return rules


def _reason(error: Exception) -> str:
    return error.sentence if isinstance(error, RuleRefused) else f"{type(error).__name__}: {error}"[:500]


def _identity(rule: SigmaRule | SigmaCorrelationRule) -> str:
    return str(rule.id or rule.name or rule.title)


def _said(rule: SigmaRule | SigmaCorrelationRule, path: str) -> dict[str, Any]:
    return {
        "id": _identity(rule),
        "title": rule.title,
        "author": rule.author or "",
        "level": rule.level.name.lower() if rule.level else "medium",
        "description": rule.description or "",
        "tags": tuple(str(tag) for tag in rule.tags),
        "path": path,
    }


def _references(parsed: Iterable[tuple[str, SigmaRule | SigmaCorrelationRule]]) -> set[str]:
    """Return the ids or names that correlations refer to without asking for their alerts as well."""
    return {
        name
        for _, rule in parsed
        if isinstance(rule, SigmaCorrelationRule) and not rule.generate
        for name in _named(rule)
    }


def _named(rule: SigmaCorrelationRule) -> list[str]:
    if isinstance(rule.condition, SigmaExtendedCorrelationCondition):
        return rule.condition.get_referenced_rules()
    return [one.reference for one in rule.rules or ()]


def _alerts(rule: SigmaRule | SigmaCorrelationRule, references: set[str]) -> bool:
    """Say whether a rule raises alerts itself: informational ones only mark events, as Sigma's specification asks."""
    level = rule.level.name.lower() if rule.level else ""
    return level != "informational" and not {str(rule.id), rule.name} & references


def _compile_rules(
    parsed: Sequence[tuple[str, SigmaRule | SigmaCorrelationRule]],
    placeholders: Mapping[str, Sequence[str]],
    refused: list[Refused],
) -> list[Rule]:
    pipeline = ProcessingPipeline(
        items=[ProcessingItem(ValueListPlaceholderTransformation(include=list(placeholders)))] if placeholders else [],
        vars={name: list(values) for name, values in placeholders.items()},
    )
    references = _references(parsed)
    rules = []
    for path, rule in parsed:
        if not isinstance(rule, SigmaRule):
            continue
        try:
            pipeline.apply(rule)
            rules.append(_compile_rule(rule, path, alone=_alerts(rule, references)))
        except (SigmaError, RuleRefused, ValueError, RecursionError) as error:
            refused.append(Refused(path, rule.title, _reason(error)))
    return rules


def _compile_rule(rule: SigmaRule, path: str, *, alone: bool) -> Rule:
    conditions = [condition.parsed for condition in rule.detection.parsed_condition]
    joined: Any = conditions[0] if len(conditions) == 1 else ConditionOR(cast("Any", conditions))
    source = rule.logsource
    return Rule(
        **_said(rule, path),
        source=LogSource(source.category or "", source.product or "", source.service or ""),
        test=matching.compile_condition(joined),
        equalities=tuple(_equalities(joined)),
        keywords=_keywords(joined),
        alone=alone,
    )


def _equalities(condition: Any) -> list[tuple[str, frozenset[str]]]:
    """Return what an event must equal, field by field, for a condition to hold at all."""
    plain = matching.plain_equality(condition)
    if plain is not None:
        return [(plain[0], frozenset({plain[1]}))]
    if isinstance(condition, ConditionAND):
        return [found for one in condition.args for found in _equalities(one)]
    if isinstance(condition, ConditionOR):
        each = [dict(_equalities(one)) for one in condition.args]
        common = set(each[0]).intersection(*each[1:])
        return [(name, frozenset().union(*(one[name] for one in each))) for name in sorted(common)]
    return []


def _keywords(condition: Any) -> str:
    """Return the expression an event's text must meet for a condition to hold at all, or an empty text."""
    if isinstance(condition, ConditionValueExpression):
        return matching.keyword_expression([condition.value])
    if isinstance(condition, ConditionAND):
        return next((found for one in condition.args if (found := _keywords(one))), "")
    if isinstance(condition, ConditionOR):
        each = [_keywords(one) for one in condition.args]
        return "|".join(f"(?:{one})" for one in each) if all(each) else ""
    return ""


def _compile_correlations(
    parsed: Sequence[tuple[str, SigmaRule | SigmaCorrelationRule]], known: set[str], refused: list[Refused]
) -> list[Correlation]:
    by_name = {str(key): _identity(rule) for _, rule in parsed for key in (rule.id, rule.name) if key}
    references = _references(parsed)
    waiting = [(path, rule) for path, rule in parsed if isinstance(rule, SigmaCorrelationRule)]
    compiled: list[Correlation] = []
    while waiting:
        left = []
        for path, rule in waiting:
            wanted = [by_name.get(name, "") for name in _named(rule)]
            if all(one in known for one in wanted):
                try:
                    alone = _alerts(rule, references)
                    compiled.append(_compile_correlation(rule, path, by_name, alone=alone))
                    known = known | {_identity(rule)}
                except (RuleRefused, ValueError) as error:
                    refused.append(Refused(path, rule.title, _reason(error)))
            else:
                left.append((path, rule))
        if len(left) == len(waiting):
            refused.extend(Refused(path, rule.title, "A rule it refers to does not run.") for path, rule in left)
            break
        waiting = left
    return compiled


def _compile_correlation(
    rule: SigmaCorrelationRule, path: str, by_name: Mapping[str, str], *, alone: bool
) -> Correlation:
    fields: tuple[str, ...] = ()
    names = tuple(by_name[name] for name in _named(rule))
    kind = cast("Kind", rule.type.name.lower())
    common: dict[str, Any] = {"kind": kind, "span": float(rule.timespan.seconds), "rules": names}
    if isinstance(rule.condition, SigmaExtendedCorrelationCondition):
        condition = Condition(**common, expression=_expression(rule.condition.parsed, by_name))
    elif rule.type in {SigmaCorrelationType.TEMPORAL, SigmaCorrelationType.TEMPORAL_ORDERED} and _says_nothing(rule):
        condition = Condition(**common, threshold=len(names))
    else:
        said = rule.condition
        if said.count > HITS_MAX:
            raise RuleRefused(f"It counts to more than {HITS_MAX}, which would need memory without bound.")
        given = said.fieldref or ()
        fields = (given,) if isinstance(given, str) else tuple(given)
        condition = Condition(
            **common, compare=said.op.name.lower(), threshold=said.count, percentile=said.percentile or 50
        )
    return Correlation(
        **_said(rule, path),
        condition=condition,
        group_by=tuple(rule.group_by or ()),
        aliases={
            one.alias: {by_name.get(ref.reference, ""): name for ref, name in one.mapping.items()}
            for one in rule.aliases
        },
        fields=fields,
        alone=alone,
    )


def _says_nothing(rule: SigmaCorrelationRule) -> bool:
    """Say whether a temporal correlation left its condition out, which pySigma reads as “at least one”."""
    said = rule.condition
    return not isinstance(said, SigmaExtendedCorrelationCondition) and said.op.name == "GTE" and said.count <= 1


def _expression(parsed: Any, by_name: Mapping[str, str]) -> Expression:
    if isinstance(parsed, SigmaRuleReference):
        return by_name[parsed.reference]
    joiners = {CorrelationConditionAND: "and", CorrelationConditionOR: "or", CorrelationConditionNOT: "not"}
    return joiners[type(parsed)], tuple(_expression(one, by_name) for one in parsed.args)
