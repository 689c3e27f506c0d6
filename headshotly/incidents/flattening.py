"""Events as rules read them: native field names, nested ones joined by dots, bounded in number and depth."""

from collections.abc import Mapping
from typing import Any

FIELDS_MAX = 2000
DEPTH_MAX = 24

type Scalar = str | int | float | bool | None
type Fields = dict[str, Scalar | tuple[Scalar, ...]]


def flatten(document: Mapping[str, Any]) -> Fields:
    """Return every leaf of a document by its dotted name; lists become tuples of the values found under one name.

    Args:
        document: decoded JSON, of any shape and of a stranger's making.

    Raises:
        ValueError: it has more leaves than ``FIELDS_MAX`` or is deeper than ``DEPTH_MAX``.
    """
    fields: Fields = {}
    for name, value in document.items():
        if value.__class__ in _PLAIN:
            fields[name] = value
        else:
            _add(fields, name, value, 1)
    if len(fields) > FIELDS_MAX:
        raise ValueError("an event with too many fields")
    return fields


_PLAIN = frozenset({str, int, float, bool, type(None)})


def _add(fields: Fields, name: str, value: Any, depth: int) -> None:
    if depth > DEPTH_MAX or len(fields) > FIELDS_MAX:
        raise ValueError("an event too deep or with too many fields")
    if isinstance(value, dict):
        for key, inner in value.items():
            if inner.__class__ in _PLAIN:
                fields[f"{name}.{key}"] = inner
            else:
                _add(fields, f"{name}.{key}", inner, depth + 1)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _append(fields, name, inner, depth + 1)
    else:
        fields[name] = value


def _append(fields: Fields, name: str, value: Any, depth: int) -> None:
    if isinstance(value, (dict, list, tuple)):
        inside: Fields = {}
        _add(inside, name, value, depth)
        for key, inner in inside.items():
            fields[key] = (*_many(fields.get(key, ())), *_many(inner))
    else:
        fields[name] = (*_many(fields.get(name, ())), value)
    if len(fields) > FIELDS_MAX or len(_many(fields.get(name, ()))) > FIELDS_MAX:
        raise ValueError("an event with too many values")


def _many(value: Scalar | tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    return value if isinstance(value, tuple) else (value,)


class Readable(dict[str, Any]):
    """An event's fields as rules compare them: text in lower case, made when first asked for.

    ``readable[name]`` is text in lower case, a tuple of such, or None; ``fields`` holds the values as they came.
    """

    __slots__ = ("_text", "fields")

    def __init__(self, fields: Fields) -> None:
        """Take an event's fields."""
        super().__init__()
        self.fields = fields
        self._text: str | None = None

    def __missing__(self, name: str) -> Any:
        """Return a field in lower case and remember it."""
        value = self.fields.get(name)
        if value.__class__ is str:
            value = value.lower()
        elif isinstance(value, tuple):
            value = tuple(str(one).lower() for one in value if one is not None)
        elif value is not None:
            value = str(value).lower()
        self[name] = value
        return value

    @property
    def text(self) -> str:
        """Return all values, a line each: what a rule without a field looks through."""
        if self._text is None:
            self._text = text_of(self.fields)
        return self._text


def text_of(fields: Fields) -> str:
    """Return all values of an event, a line each."""
    lines = []
    for value in fields.values():
        if value.__class__ is str:
            lines.append(value)
        elif isinstance(value, tuple):
            lines.extend(str(one) for one in value if one is not None)
        elif value is not None:
            lines.append(str(value))
    return "\n".join(lines)
