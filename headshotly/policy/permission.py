"""Every view names the permission it needs; the gate in ``access`` refuses the others (clause 2.4.a)."""

from collections.abc import Callable
from typing import Any

_MARK = "headshotly_permission"
_PLAIN = frozenset({"public", "customer", "staff"})
_WITH_RIGHT = frozenset({"staff", "service"})


def permission[View: Callable[..., Any]](name: str) -> Callable[[View], View]:
    """Record on a view which permission a request needs to reach it.

    Args:
        name: ``public``, ``customer``, ``staff``, ``staff:<right>``, or ``service:<right>`` for programs.

    Raises:
        ValueError: the name has none of these forms.
    """
    kind, _, right = name.partition(":")
    if name not in _PLAIN and not (kind in _WITH_RIGHT and right):
        raise ValueError(f"“{name}” is no permission: say public, customer, staff, staff:<right> or service:<right>")

    def mark(view: View) -> View:
        setattr(view, _MARK, name)
        return view

    return mark


def permission_of(view: Callable[..., Any]) -> str | None:
    """Return the permission a view names, or None where it names none and must be refused."""
    return getattr(view, _MARK, None)
