"""Every view, command, task and duty names the permission it needs; what names none is refused (clause 2.4.a)."""

from collections.abc import Callable
from typing import Any

_MARK = "headshotly_permission"
_ACT_MARK = "headshotly_production_act"
_PLAIN = frozenset({"public", "customer", "token", "staff", "operator"})
_WITH_RIGHT = frozenset({"staff", "service"})


def permission[View: Callable[..., Any]](name: str) -> Callable[[View], View]:
    """Record which permission is needed to reach a view, run a command, or do a task or duty.

    Args:
        name: ``public``, ``customer``, ``token`` for customers' own programs (each operation names its scope besides),
            ``staff``, ``staff:<right>``, ``service:<right>`` for the house's programs, or ``operator`` for commands:
            the account of the operating system that owns the data folder.

    Raises:
        ValueError: the name has none of these forms.
    """
    kind, _, right = name.partition(":")
    if name not in _PLAIN and not (kind in _WITH_RIGHT and right):
        raise ValueError(f"“{name}” is no permission: say public, customer, staff, operator or <kind>:<right>")

    def mark(view: View) -> View:
        setattr(view, _MARK, name)
        return view

    return mark


def permission_of(view: object) -> str | None:
    """Return the permission a view, command, task or duty names, or None where it names none and must be refused."""
    return getattr(view, _MARK, None)


def production_act[Act: Callable[..., Any]](scope: str) -> Callable[[Act], Act]:
    """Record that a command is an act in production, which takes a grant for exactly that act (clause 2.4.c).

    Args:
        scope: of the grant, such as ``act:rotate-keys``.
    """

    def mark(act: Act) -> Act:
        setattr(act, _ACT_MARK, scope)
        return act

    return mark


def production_act_of(act: object) -> str | None:
    """Return the scope of the grant that a command takes in production, or None where it takes none."""
    return getattr(act, _ACT_MARK, None)
