"""Marks code with the clause it makes true, so that a promise can be found by its number."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

_ENFORCERS: dict[str, list[str]] = defaultdict(list)


def enforces[F: Callable[..., Any] | type](*clause_ids: str) -> Callable[[F], F]:
    """Record that the decorated function or class enforces the given clauses.

    Args:
        clause_ids: ids as in ``policy/clauses.toml``, such as ``3.2.a``; at least one.

    Raises:
        ValueError: no clause id was given.
    """
    if not clause_ids:
        raise ValueError("name at least one clause")

    def mark(thing: F) -> F:
        for clause_id in clause_ids:
            _ENFORCERS[clause_id].append(f"{thing.__module__}.{thing.__qualname__}")
        return thing

    return mark


def enforcers_of(clause_id: str) -> tuple[str, ...]:
    """Return the dotted names of the code that enforces a clause, in order of import."""
    return tuple(_ENFORCERS.get(clause_id, ()))
