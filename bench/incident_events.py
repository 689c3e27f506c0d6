"""Mixed events for trying rules on: drawn from what the rules themselves ask for, half met, and noise between."""

import json
import random
import string
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sigma.collection import SigmaCollection
from sigma.rule import SigmaRule
from sigma.types import SigmaCompareExpression, SigmaExists, SigmaNumber, SigmaRegularExpression, SigmaString

from headshotly.incidents.rulebook import LogSource

PLACEHOLDERS = {"Legitimate_Countries": ["PL", "DE"], "Legitimate_IP_Ranges": ["10.*"]}
# One spelling that each regular expression of the public rules finds; a new one fails loudly below.
_FOUND = {".+:assumed-role/aws:.+": "arn:aws:sts::1:assumed-role/aws:ec2-instance/i-0ab"}


def sigma_rules(folders: Sequence[Path]) -> list[SigmaRule]:
    """Return the plain rules of folders, as pySigma reads them."""
    paths = [path for folder in folders for path in sorted(folder.rglob("*.yml"))]
    found = [SigmaCollection.from_yaml(path.read_text(encoding="utf-8"), resolve_references=False) for path in paths]
    return [rule for one in found for rule in one.rules if isinstance(rule, SigmaRule)]


def source_of(rule: SigmaRule) -> LogSource:
    source = rule.logsource
    return LogSource(source.category or "", source.product or "", source.service or "")


def _leaves(condition: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(condition, "value"):
        yield getattr(condition, "field", ""), condition.value
    for one in getattr(condition, "args", ()):
        yield from _leaves(one)


def _spelled(value: Any, chance: random.Random) -> Any:
    """Return a value that meets a leaf, letter case at random, or None for one that nothing is to be said for."""
    if isinstance(value, SigmaNumber):
        return value.number
    if isinstance(value, SigmaCompareExpression):
        return value.number.number + chance.choice((-1, 0, 1))
    if isinstance(value, SigmaExists):
        return _word(chance)
    if isinstance(value, SigmaRegularExpression):
        return _FOUND[str(value.regexp)]
    if not isinstance(value, SigmaString):
        return None
    text = "".join(part if isinstance(part, str) else _word(chance) for part in value.s)
    return chance.choice((text, text, text.upper(), text.lower()))


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(string.ascii_letters + string.digits + "/-_.", k=chance.randrange(9)))


_NOISE = {
    "cloudtrail": ("eventName", "eventSource", "awsRegion", "userAgent", "sourceIPAddress", "userIdentity.type"),
    "web": ("cs-method", "cs-uri-query", "cs-user-agent", "sc-status", "c-ip"),
    "other": ("message", "host", "program"),
}


class Mixture:
    """Makes events that touch the rules of a folder."""

    def __init__(self, rules: Sequence[SigmaRule], *, seed: int = 1) -> None:
        """Take the rules and the seed of chance."""
        self._chance = random.Random(seed)
        self._rules = []
        for rule in rules:
            leaves: dict[str, list[Any]] = {}
            for condition in rule.detection.parsed_condition:
                for name, value in _leaves(condition.parsed):
                    leaves.setdefault(name, []).append(value)
            self._rules.append((source_of(rule), leaves))

    def event(self) -> tuple[LogSource, dict[str, Any]]:
        """Return a log source and the flat fields of one event."""
        chance = self._chance
        source, leaves = chance.choice(self._rules)
        kind = (
            source.service if source.service == "cloudtrail" else "web" if source.category == "webserver" else "other"
        )
        fields: dict[str, Any] = {
            name: chance.randrange(200, 600) if name == "sc-status" else _word(chance)
            for name in _NOISE[kind]
            if chance.random() < 0.8
        }
        met = chance.random()
        for name, values in leaves.items():
            if chance.random() < met:
                several = (
                    len(values) > 1 and chance.random() < 0.3 and all(isinstance(one, SigmaString) for one in values)
                )
                chosen = values[-8:] if several else [chance.choice(values)]
                parts = [_spelled(one, chance) for one in chosen]
                spelled = "".join(parts) if several else parts[0]
                if spelled is not None:
                    fields[name or "message"] = spelled
        return source, fields


def as_cloudtrail(fields: dict[str, Any], number: int) -> bytes:
    """Return fields as the nested JSON they would be delivered as."""
    document: dict[str, Any] = {"eventID": str(number), "eventTime": "2026-11-27T12:00:00Z"}
    for name, value in fields.items():
        place = document
        *outer, last = name.split(".")
        for part in outer:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                inner = place[part] = {}
            place = inner
        place[last] = value
    return json.dumps(document).encode()
