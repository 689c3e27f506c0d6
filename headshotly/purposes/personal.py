"""Which columns and sealed objects hold personal data, found by looking; what is found must be declared (1.1.a).

Looking is by form, so that nobody has to remember: a sealed column, a column named for a person, a pseudonym, free
text or JSON in a table that names a person, and a foreign key to a table that is itself about a person.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import models

from headshotly.policy.enforcement import enforces
from headshotly.purposes.declarations import kept_places

_ABOUT_SOMEBODY = re.compile(
    r"^(subject|about|customer|customer_id|member|handle|email|phone|password|last_login)$"
    r"|(_sealed|_index|_subject)$|(^|_)(e?mail|phone|address|surname|birthday|iban|user_agent|ip)(_|$)"
)
_NAME = re.compile(r"^(full_?|first_?|last_?|display_?)name$")
_FREE = (models.TextField, models.JSONField)
_SEALERS = {"seal", "seal_stream", "write_sealed"}


def _is_sealed(field: models.Field) -> bool:  # type: ignore[type-arg]  # any column
    return type(field).__name__ == "SealedTextField"


def _names_somebody(field: models.Field) -> bool:  # type: ignore[type-arg]  # any column
    return bool(_ABOUT_SOMEBODY.search(field.name) or _NAME.search(field.name)) or _is_sealed(field)


def is_personal(model: type[models.Model]) -> bool:
    """Say whether rows of a table are about a person, by its columns alone."""
    return any(_names_somebody(field) for field in model._meta.concrete_fields)


def personal_fields(model: type[models.Model]) -> Iterator[str]:
    """Yield the places, ``room.Model.field``, of a table's columns that hold personal data."""
    about_somebody = is_personal(model)
    for field in model._meta.concrete_fields:
        free = about_somebody and isinstance(field, _FREE) and not field.is_relation
        if _names_somebody(field) or free:
            yield f"{model._meta.app_label}.{model.__name__}.{field.name}"


@enforces("1.1.a")
def undeclared_fields(tables: Iterable[type[models.Model]]) -> list[str]:
    """Return the places of every personal column that no activity names."""
    known = kept_places()
    return sorted(place for model in tables for place in personal_fields(model) if place not in known)


def sealed_kinds(folder: Path) -> set[str]:
    """Return every kind of object that the code in a folder seals.

    A kind that is no literal cannot be checked and is returned as ``?`` with its place, which is declared nowhere.
    """
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SEALERS:
                for keyword in node.keywords:
                    if keyword.arg == "kind":
                        found.add(_literal(keyword.value, path))
    return found


def _literal(value: ast.expr, path: Path) -> str:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    return f"? in {path.name}, line {value.lineno}"


@enforces("1.1.a")
def undeclared_kinds(kinds: Iterable[str]) -> list[str]:
    """Return the kinds of sealed object that no activity names."""
    known = kept_places()
    return sorted(kind for kind in kinds if f"object:{kind}" not in known)
