"""The places of the staff console: each room names its own, and each member sees those of their role."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from headshotly.access import members
from headshotly.access.models import StaffMember

type Waiting = Callable[[StaffMember], int]
GROUPS = ("Today", "Customers", "Privacy", "Safety", "Business", "House")
_PLACES: list["Place"] = []


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the console.

    Attributes:
        label: one or two words.
        view: name of the address, such as ``access:grants``.
        right: what a member needs to see it; empty for every member.
        group: one of ``GROUPS``.
        waiting: how many things wait there for a member; None where nothing ever does.
    """

    label: str
    view: str
    right: str
    group: str
    waiting: Waiting | None = None


def place(*, label: str, view: str, right: str, group: str, waiting: Waiting | None = None) -> None:
    """Add a place; called once for each from a room's ``console_places.py``.

    Raises:
        ValueError: there is no such group, or the place is there already.
    """
    if group not in GROUPS or any(known.view == view for known in _PLACES):
        raise ValueError(f"{view} cannot be placed in the group {group}")
    _PLACES.append(Place(label, view, right, group, waiting))


def places_of(member: StaffMember) -> list[tuple[str, list[tuple[Place, int]]]]:
    """Return, group by group, a member's places and how much waits in each."""
    held = members.rights_of(member)
    mine = [one for one in _PLACES if not one.right or one.right in held]
    counted = [(one, one.waiting(member) if one.waiting else 0) for one in mine]
    grouped = [(group, [pair for pair in counted if pair[0].group == group]) for group in GROUPS]
    return [(group, pairs) for group, pairs in grouped if pairs]


def in_templates(request: HttpRequest) -> dict[str, Any]:
    """Return what the console's pages show around themselves; nothing for anybody but staff."""
    member = getattr(request, "staff", None)
    if not isinstance(member, StaffMember):
        return {}
    return {"console_member": member, "console_places": places_of(member)}
