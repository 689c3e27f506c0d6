"""Every check, found in ``checks/`` and known by its file's name.

A check is code with what must be known about it. A file whose name and check disagree, or a check of a clause that
does not exist, stops the program from starting: a check that silently never runs is worse than none.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from headshotly.policy.clauses import clauses
from headshotly.proof import checks
from headshotly.proof.errors import CheckMisnamed
from headshotly.proof.findings import Assurance, Finding
from headshotly.proof.scene import Scene

type Look = Callable[[Scene], Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        id: the name of its file.
        clauses: what it looks at the truth of.
        title: in a few words.
        words: what it does, as a visitor of the trust page reads it.
        assurance: how it comes to know.
        look: does it.
    """

    id: str
    clauses: tuple[str, ...]
    title: str
    words: str
    assurance: Assurance
    look: Look


def check(
    *,
    id: str,  # noqa: A002 - what it is called everywhere
    clauses: tuple[str, ...],
    title: str,
    words: str,
    assurance: Assurance,
) -> Callable[[Look], Check]:
    """Make the decorated function a check; call the function ``look`` and the file after ``id``.

    Args:
        id: the file's name.
        clauses: ids of the clauses it looks at.
        title: in a few words.
        words: what it does, in plain words for the trust page.
        assurance: how it comes to know.
    """

    def mark(look: Look) -> Check:
        return Check(id=id, clauses=clauses, title=title, words=words, assurance=assurance, look=look)

    return mark


def of_module(module: ModuleType) -> Check:
    """Return the check a module holds.

    Raises:
        CheckMisnamed: it holds none, is named otherwise, says nothing about itself, or names a clause nobody wrote.
    """
    name = module.__name__.rpartition(".")[2]
    found = getattr(module, "look", None)
    if not isinstance(found, Check):
        raise CheckMisnamed(f"checks/{name}.py holds no check called “look”.")
    if found.id != name:
        raise CheckMisnamed(f"checks/{name}.py holds the check “{found.id}”; file and id must be the same.")
    if not (found.title.strip() and found.words.strip() and found.clauses):
        raise CheckMisnamed(f"The check {name} needs a title, plain words and at least one clause.")
    missing = sorted(set(found.clauses) - set(clauses()))
    if missing:
        raise CheckMisnamed(f"The check {name} looks at {missing[0]}, and no clause has this number.")
    return found


@cache
def load() -> dict[str, Check]:
    """Import every check and return them by id.

    Raises:
        CheckMisnamed: see ``of_module``.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(checks.__path__))
    found = [of_module(importlib.import_module(f"{checks.__name__}.{name}")) for name in names]
    return {one.id: one for one in found}


def of_clause(clause_id: str) -> list[Check]:
    """Return the checks of a clause, by id."""
    return [one for one in load().values() if clause_id in one.clauses]
