"""Every view names the permission it needs; the gate in ``access`` refuses the others (clause 2.4.a)."""

from collections.abc import Callable
from typing import Any

_MARK = "headshotly_permission"
_PLAIN = frozenset({"public", "customer", "staff"})


def permission[View: Callable[..., Any]](name: str) -> Callable[[View], View]:
    """Record on a view which permission a request needs to reach it.

    Args:
        name: ``public``, ``customer``, ``staff``, or ``staff:<right>``.

    Raises:
        ValueError: the name has none of these forms.
    """
    if name not in _PLAIN and not (name.startswith("staff:") and len(name) > len("staff:")):
        raise ValueError(f"“{name}” is no permission: say public, customer, staff or staff:<right>")

    def mark(view: View) -> View:
        setattr(view, _MARK, name)
        return view

    return mark


def permission_of(view: Callable[..., Any]) -> str | None:
    """Return the permission a view names, or None where it names none and must be refused."""
    return getattr(view, _MARK, None)
