"""Every way into the house that names a permission: addresses, commands, tasks, duties (clause 2.4.a)."""

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.tasks import Task
from django.urls import URLPattern, URLResolver, get_resolver

from headshotly.policy.duties import declared
from headshotly.policy.permission import permission_of


@dataclass(frozen=True, slots=True)
class Door:
    """One way in.

    Attributes:
        kind: address, command, task or duty.
        name: where it is, such as ``/staff/``.
        needed: the permission it names; None where it names none.
    """

    kind: str
    name: str
    needed: str | None


_command_walks: list[Callable[[], Iterator[tuple[str, str | None]]]] = []


def walk_commands_with(walk: Callable[[], Iterator[tuple[str, str | None]]]) -> None:
    """Take what walks the command line; the front door hands it in."""
    _command_walks[:] = [walk]


def addresses(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[Door]:
    """Yield every address of the site, as its URL pattern spells it."""
    for one in (resolver or get_resolver()).url_patterns:
        where = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from addresses(one, where)
        elif isinstance(one, URLPattern):
            yield Door("address", where, permission_of(one.callback))


def commands() -> Iterator[Door]:
    """Yield every command of the program."""
    for walk in _command_walks:
        for name, needed in walk():
            yield Door("command", name, needed)


def tasks() -> Iterator[Door]:
    """Yield every task the worker may be given."""
    for room in apps.get_app_configs():
        name = f"{room.name}.tasks"
        if not room.name.startswith("headshotly.") or importlib.util.find_spec(name) is None:
            continue
        for thing in vars(importlib.import_module(name)).values():
            if isinstance(thing, Task):
                task: Any = thing
                yield Door("task", task.module_path, permission_of(task.func))


def duties() -> Iterator[Door]:
    """Yield everything done without anybody asking."""
    for duty in declared():
        yield Door("duty", duty.name, permission_of(duty.run))


def every() -> list[Door]:
    """Return every door."""
    return [*addresses(), *commands(), *tasks(), *duties()]


def public_pages() -> list[str]:
    """Return the addresses anybody may GET that have no parameter in them."""
    return sorted(door.name for door in addresses() if door.needed == "public" and "<" not in door.name)
