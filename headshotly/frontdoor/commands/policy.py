"""``headshotly policy …``: the promises, by number."""

import importlib
import pkgutil
import re
from pathlib import Path

import click
import django

import headshotly
from headshotly.policy.clauses import Clause, UnknownClause, clause, clauses
from headshotly.policy.enforcement import enforcers_of
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal

_MARK = re.compile(r"@pytest\.mark\.clause\(([^)]*)\)\s*(?:@[^\n]+\s*)*def (\w+)")


def _load_every_enforcer() -> None:
    """Import the whole package: a mark counts only once its module is loaded."""
    django.setup()
    for module in pkgutil.walk_packages(headshotly.__path__, "headshotly."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)


def _tests_of(clause_id: str) -> list[str]:
    """Return ``file::test`` for each test marked with the clause; empty where the suite is not installed."""
    folder = Path(headshotly.__file__).resolve().parents[1] / "tests"
    found = []
    for path in sorted(folder.rglob("test_*.py")):
        for ids, name in _MARK.findall(path.read_text(encoding="utf-8")):
            if f'"{clause_id}"' in ids:
                found.append(f"{path.relative_to(folder.parent)}::{name}")
    return found


def _print_list(title: str, lines: tuple[str, ...] | list[str], *, nothing: str) -> None:
    click.secho(f"\n{title}", bold=True)
    for line in lines:
        click.echo(f"  {line}")
    if not lines:
        click.echo(f"  {nothing}")


def _print_clause(shown: Clause) -> None:
    click.secho(f"{shown.id}  ({shown.kind}, owner: {shown.owner})", bold=True)
    click.echo(shown.sentence)
    _print_list("Enforced by", enforcers_of(shown.id), nothing="nothing yet")
    _print_list("Shown by tests", _tests_of(shown.id), nothing="none yet")


@permission("public")
@click.group()
def policy() -> None:
    """Read the published policy and the code behind each sentence."""


@policy.command()
@click.argument("clause_id")
def show(clause_id: str) -> None:
    """Print a sentence by its number, the code that enforces it and the tests that show it."""
    _load_every_enforcer()
    try:
        _print_clause(clause(clause_id))
    except UnknownClause as error:
        raise Refusal(str(error), code="policy.unknown_clause") from error


@policy.command(name="list")
def list_clauses() -> None:
    """Print every clause with the number of places that enforce it."""
    _load_every_enforcer()
    for shown in clauses().values():
        click.echo(f"{shown.id:8} {shown.kind:10} {len(enforcers_of(shown.id)):3}  {shown.sentence}")
