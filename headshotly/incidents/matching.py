"""Sigma conditions compiled to Python: pySigma parses, closures decide.

Regular expressions run in RE2, whose time grows with the text alone, whatever a hostile rule or event says.
"""

import datetime as dt
import functools
import ipaddress
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import re2
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
    TimestampPart,
)

from headshotly.incidents.errors import RuleRefused
from headshotly.incidents.flattening import Readable

type Test = Callable[[Readable], bool]
type Condition = ConditionItem | ConditionFieldEqualsValueExpression | ConditionValueExpression
_ANYWHERE, _NOWHERE = re2._Anchor.UNANCHORED, (-1, -1)
_MANY = SpecialChars.WILDCARD_MULTI
_OPERATORS: dict[CompareOperators, Callable[[Any, Any], bool]] = {
    CompareOperators.LT: operator.lt,
    CompareOperators.LTE: operator.le,
    CompareOperators.GT: operator.gt,
    CompareOperators.GTE: operator.ge,
    CompareOperators.NEQ: operator.ne,
}
_PARTS: dict[TimestampPart, Callable[[dt.datetime], int]] = {
    TimestampPart.MINUTE: lambda moment: moment.minute,
    TimestampPart.HOUR: lambda moment: moment.hour,
    TimestampPart.DAY: lambda moment: moment.day,
    TimestampPart.WEEK: lambda moment: moment.isocalendar().week,
    TimestampPart.MONTH: lambda moment: moment.month,
    TimestampPart.YEAR: lambda moment: moment.year,
}


def compile_condition(condition: Any) -> Test:
    """Return the test of a parsed condition.

    Args:
        condition: what pySigma's ``SigmaCondition.parsed`` returns.

    Raises:
        RuleRefused: it says something that cannot be decided here, such as a placeholder nobody filled.
    """
    match condition:
        case ConditionOR():
            return _either(condition.args)
        case ConditionAND():
            return _both([compile_condition(one) for one in condition.args])
        case ConditionNOT():
            inner = compile_condition(condition.args[0])
            return lambda event: not inner(event)
        case ConditionFieldEqualsValueExpression():
            return _field(condition.field, condition.value)
        case ConditionValueExpression():
            return _anywhere([condition.value])
    raise RuleRefused(f"A condition of the kind {type(condition).__name__} cannot be decided.")


def _both(tests: Sequence[Test]) -> Test:
    if len(tests) == 2:  # noqa: PLR2004 - by far the most common
        first, second = tests
        return lambda event: first(event) and second(event)

    def every(event: Readable) -> bool:
        for test in tests:  # noqa: SIM110 - a loop takes half the time of all() with a generator
            if not test(event):
                return False
        return True

    return every


def _either(args: Iterable[Any]) -> Test:
    """Join alternatives: equal texts of one field become one set, keywords one expression."""
    same: dict[str, set[str]] = {}
    within: dict[str, list[str]] = {}
    keywords: list[Any] = []
    tests: list[Test] = []
    for one in args:
        plain = plain_equality(one)
        if plain is not None:
            same.setdefault(plain[0], set()).add(plain[1])
        elif isinstance(one, ConditionValueExpression):
            keywords.append(one.value)
        elif (sought := _contained(one)) is not None:
            within.setdefault(sought[0], []).append(sought[1])
        else:
            tests.append(compile_condition(one))
    tests[:0] = [_one_of(field, frozenset(values)) for field, values in same.items()]
    tests += [_contains_any(field, tuple(values)) for field, values in within.items()]
    if keywords:
        tests.append(_anywhere(keywords))
    if len(tests) == 1:
        return tests[0]

    def some(event: Readable) -> bool:
        for test in tests:  # noqa: SIM110 - a loop takes half the time of any() with a generator
            if test(event):
                return True
        return False

    return some


def _contained(condition: Any) -> tuple[str, str] | None:
    """Return field and lower-case text where a condition says that a field contains a text, else None."""
    if not isinstance(condition, ConditionFieldEqualsValueExpression):
        return None
    value = condition.value
    if isinstance(value, SigmaCasedString) or not isinstance(value, SigmaString):
        return None
    match value.s:
        case [first, str(middle), last] if first is _MANY and last is _MANY:
            return condition.field, middle.lower()
    return None


def _contains_any(field: str, sought: tuple[str, ...]) -> Test:
    def within(text: str) -> bool:
        for one in sought:  # noqa: SIM110 - a loop takes half the time of any() with a generator
            if one in text:
                return True
        return False

    return _any_value(field, within)


def plain_equality(condition: Any) -> tuple[str, str] | None:
    """Return field and lower-case text where a condition says that a field equals a text, else None."""
    if not isinstance(condition, ConditionFieldEqualsValueExpression):
        return None
    value = condition.value
    if isinstance(value, SigmaCasedString) or not isinstance(value, SigmaString) or not _is_plain(value):
        return None
    return condition.field, str(value.to_plain(regex=False) if not value.s else "".join(map(str, value.s))).lower()


def _is_plain(value: SigmaString) -> bool:
    return all(isinstance(part, str) for part in value.s)


def _one_of(field: str, values: frozenset[str]) -> Test:
    def test(event: Readable) -> bool:
        value = event[field]
        if value.__class__ is tuple:
            return any(one in values for one in value)
        return value in values

    return test


def _any_value(field: str, decide: Callable[[str], bool]) -> Test:
    """Return the test that a field's text, or one of its texts, passes."""

    def test(event: Readable) -> bool:
        value = event[field]
        if value is None:
            return False
        if value.__class__ is tuple:
            return any(decide(one) for one in value)
        return decide(value)

    return test


def _any_original(field: str, decide: Callable[[Any], bool]) -> Test:
    """Return the test that a field's value as it came, or one of its values, passes."""

    def test(event: Readable) -> bool:
        value = event.fields.get(field)
        if value is None:
            return False
        if value.__class__ is tuple:
            return any(one is not None and decide(one) for one in value)
        return decide(value)

    return test


def _field(field: str, value: Any) -> Test:  # noqa: C901, PLR0911 - one line for each of Sigma's kinds of value
    match value:
        case SigmaCasedString():
            return _any_original(field, _searcher(_pattern(value), folded=False, whole=True))
        case SigmaString():
            return _text(field, value)
        case SigmaNull():
            return lambda event: event.fields.get(field) in {None, ()}
        case SigmaTimestampPart():
            return _any_original(field, _timestamp_part(value))
        case SigmaNumber():
            return _any_original(field, functools.partial(_compares, operator.eq, value.number))
        case SigmaBool():
            return _one_of(field, frozenset({"true", "1"} if value.boolean else {"false", "0"}))
        case SigmaExists():
            wanted = bool(value.exists)
            return lambda event: (event.fields.get(field) is not None) is wanted
        case SigmaRegularExpression():
            return _any_original(field, _searcher(str(value.regexp), flags=value.flags))
        case SigmaCIDRExpression():
            return _any_original(field, functools.partial(_within, value.network))
        case SigmaCompareExpression():
            return _any_original(field, functools.partial(_compares, _OPERATORS[value.op], value.number.number))
        case SigmaFieldReference():
            return _reference(field, value)
        case SigmaExpansion():
            return _either([ConditionFieldEqualsValueExpression(field, one) for one in value.values])
    raise RuleRefused(f"A value of the kind {type(value).__name__} cannot be compared.")


def _text(field: str, value: SigmaString) -> Test:
    """Return the quickest test of a text with wildcards, letter case aside."""
    parts = value.s
    if any(isinstance(part, Placeholder) for part in parts):
        raise RuleRefused("It has a placeholder that nobody filled.")
    if _is_plain(value):
        return _one_of(field, frozenset({"".join(map(str, parts)).lower()}))
    match parts:
        case [only] if only is _MANY:
            return lambda event: event[field] is not None
        case [first, str(middle), last] if first is _MANY and last is _MANY:
            sought = middle.lower()
            return _any_value(field, lambda text: sought in text)
        case [str(beginning), last] if last is _MANY:
            begun = beginning.lower()
            return _any_value(field, lambda text: text.startswith(begun))
        case [first, str(end)] if first is _MANY:
            ended = end.lower()
            return _any_value(field, lambda text: text.endswith(ended))
    return _any_original(field, _searcher(_pattern(value), folded=True, whole=True))


def _pattern(value: SigmaString) -> str:
    """Return the expression of a text with wildcards."""
    spelled = {SpecialChars.WILDCARD_MULTI: ".*", SpecialChars.WILDCARD_SINGLE: "."}
    if any(isinstance(part, Placeholder) for part in value.s):
        raise RuleRefused("It has a placeholder that nobody filled.")
    return "".join(re2.escape(part) if isinstance(part, str) else spelled[part] for part in value.s)  # type: ignore[index]


def _searcher(
    expression: str,
    *,
    folded: bool = False,
    whole: bool = False,
    flags: Iterable[SigmaRegularExpressionFlag] = (),
) -> Callable[[Any], bool]:
    letters = {
        SigmaRegularExpressionFlag.IGNORECASE: "i",
        SigmaRegularExpressionFlag.MULTILINE: "m",
        SigmaRegularExpressionFlag.DOTALL: "s",
    }
    said = "".join(sorted(letters[flag] for flag in flags)) + ("is" if folded else "s" if whole else "")
    return _finder(f"(?{said}){expression}" if said else expression, whole=whole)


def _finder(expression: str, *, whole: bool = False) -> Callable[[Any], bool]:
    """Return what says whether an expression is found in a value's text, or is all of it.

    The wrapper's own ``search`` takes five times as long for building a match that nobody looks at; and it fails on
    half characters, which a stranger's JSON may hold.
    """
    compiled = _compiled(f"\\A(?:{expression})\\z" if whole else expression)
    match = compiled._regexp.Match

    def found(value: Any) -> bool:
        data = (value if value.__class__ is str else str(value)).encode(errors="replace")
        return bool(match(_ANYWHERE, data, 0, len(data))[0] != _NOWHERE)

    return found


def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression, options=options)
    except re2.error as error:
        raise RuleRefused(f"Its expression cannot run in linear time, so it does not run: {error}.") from error


def keyword_expression(values: Iterable[Any]) -> str:
    """Return one expression that finds any of these keywords in an event's text, letter case aside.

    Raises:
        RuleRefused: a keyword is of a kind that cannot be looked for.
    """
    found = []
    for value in values:
        match value:
            case SigmaRegularExpression():
                found.append(str(value.regexp))
            case SigmaString():
                trimmed = list(value.s)
                while trimmed and trimmed[0] is _MANY:
                    trimmed.pop(0)
                while trimmed and trimmed[-1] is _MANY:
                    trimmed.pop()
                text = SigmaString("")
                text.s = trimmed
                found.append(_pattern(text))
            case SigmaNumber():
                found.append(re2.escape(str(value.number)))
            case SigmaExpansion():
                found.append(keyword_expression(value.values))
            case _:
                raise RuleRefused(f"A keyword of the kind {type(value).__name__} cannot be looked for.")
    return "|".join(f"(?:{one})" for one in found)


def searching(expression: str) -> Callable[[str], bool]:
    """Return what says whether an expression is anywhere in a text, letter case aside.

    Raises:
        RuleRefused: the expression cannot run in linear time.
    """
    return _finder(f"(?is)(?:{expression})")


def _anywhere(values: Iterable[Any]) -> Test:
    find = searching(keyword_expression(values))
    return lambda event: find(event.text)


def _compares(compare: Callable[[Any, Any], bool], number: float, value: Any) -> bool:
    try:
        return compare(float(value), number)
    except (TypeError, ValueError, OverflowError):
        return False


@functools.lru_cache(maxsize=4096)
def _address(text: str) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _within(network: Any, value: Any) -> bool:
    found = _address(str(value))
    return found is not None and found.version == network.version and found in network


def _timestamp_part(value: SigmaTimestampPart) -> Callable[[Any], bool]:
    part = _PARTS[value.timestamp_part]

    def decide(found: Any) -> bool:
        try:
            return part(dt.datetime.fromisoformat(str(found))) == value.number
        except ValueError:
            return False

    return decide


def _reference(field: str, value: SigmaFieldReference) -> Test:
    other, begins, ends = value.field, value.starts_with, value.ends_with

    def decide(one: str, against: str) -> bool:
        if begins:
            return one.startswith(against)
        if ends:
            return one.endswith(against)
        return one == against

    def test(event: Readable) -> bool:
        first, second = event[field], event[other]
        if first is None or second is None:
            return False
        ones = first if isinstance(first, tuple) else (first,)
        others = second if isinstance(second, tuple) else (second,)
        return any(decide(one, against) for one in ones for against in others)

    return test
