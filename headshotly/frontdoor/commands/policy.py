"""``headshotly policy …``: the promises by number, the code behind each, and what is known of it now."""

import importlib
import pkgutil
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import django

import headshotly
from headshotly.policy import configuration
from headshotly.policy.clauses import Clause, UnknownClause, clause, clauses
from headshotly.policy.enforcement import enforcers_of
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal

if TYPE_CHECKING:
    from headshotly.proof.selectors import ClauseState

_MARKED = re.compile(r"clause\(([^)]*)\)")
_WHOLE_FILE = re.compile(r"^pytestmark\s*=\s*(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_TEST = re.compile(r"((?:^@[^\n]+\n(?:^[ )\]][^\n]*\n)*)*)^def (test_\w+)", re.MULTILINE)


def _load_every_enforcer() -> None:
    """Import the whole package: a mark counts only once its module is loaded."""
    django.setup()
    for module in pkgutil.walk_packages(headshotly.__path__, "headshotly."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _tests_of(clause_id: str) -> list[str]:
    """Return ``file::test`` for each test marked with the clause, a file marked as a whole by its name."""
    folder = Path(headshotly.__file__).resolve().parents[1] / "tests"
    found = []
    for path in sorted(folder.rglob("test_*.py")):
        text, name = path.read_text(encoding="utf-8"), str(path.relative_to(folder.parent))
        whole = _WHOLE_FILE.search(text)
        if whole and _names(whole[1], clause_id):
            found.append(f"{name} (all of it)")
        else:
            found += [f"{name}::{test}" for marks, test in _TEST.findall(text) if _names(marks, clause_id)]
    return found


def _names(marks: str, clause_id: str) -> bool:
    return any(f'"{clause_id}"' in ids for ids in _MARKED.findall(marks))


def _print_list(title: str, lines: tuple[str, ...] | list[str], *, nothing: str) -> None:
    click.secho(f"\n{title}", bold=True)
    for line in lines:
        click.echo(f"  {line}")
    if not lines:
        click.echo(f"  {nothing}")


def _print_clause(shown: Clause) -> None:
    from headshotly.proof import registry  # noqa: PLC0415 - after Django's setup
    from headshotly.proof.rules import EXPLAINED  # noqa: PLC0415 - after Django's setup

    click.secho(f"{shown.id}  ({shown.kind}, owner: {shown.owner})", bold=True)
    click.echo(shown.sentence)
    _print_list("Enforced by", enforcers_of(shown.id), nothing="nothing yet")
    looked = [f"{one.id} ({one.assurance}): {one.words}" for one in registry.of_clause(shown.id)]
    explained = EXPLAINED.get(shown.id)
    _print_list("Checked by", [*looked, *([explained] if explained else [])], nothing="nothing yet")
    _print_list("Shown by tests", _tests_of(shown.id), nothing="none yet")
    _print_list("Latest evidence", _evidence_of(shown), nothing="none yet")


def _evidence_of(shown: Clause) -> list[str]:
    from django.db import DatabaseError  # noqa: PLC0415 - after Django's setup

    from headshotly.proof import selectors  # noqa: PLC0415 - after Django's setup

    try:
        known = selectors.state(shown.id)
    except DatabaseError:
        return ["nothing was ever kept here: this data folder was not set up"]
    return [_evidence_line(one) for one in known.checks] + [f"Together: {_line(known.judgement)}"]


def _evidence_line(one: Any) -> str:
    row = one.evidence
    kept = f" [{row.sha256[:16]}, run {row.run_id}]" if row is not None else ""
    return f"{one.check.id}: {_line(one.judgement)}{kept}"


def _line(judgement: Any) -> str:
    seen = judgement.observed_at
    where = f" ({judgement.environment}, {seen:%Y-%m-%d %H:%M} UTC)" if seen is not None else ""
    return f"{judgement.verdict}: {judgement.reason}{where}"


@permission("public")
@click.group()
def policy() -> None:
    """Read the published policy, the code behind each sentence, and whether it holds."""


@policy.command()
@click.argument("clause_id")
def show(clause_id: str) -> None:
    """Print a sentence by its number: what enforces it, checks it, shows it in tests, and was last seen of it."""
    _load_every_enforcer()
    try:
        _print_clause(clause(clause_id))
    except UnknownClause as error:
        raise Refusal(str(error), code="policy.unknown_clause") from error


@policy.command(name="list")
def list_clauses() -> None:
    """Print every clause with the number of places that enforce it and of checks that look at it."""
    _load_every_enforcer()
    from headshotly.proof import registry  # noqa: PLC0415 - after Django's setup

    for shown in clauses().values():
        counts = f"{len(enforcers_of(shown.id)):3} {len(registry.of_clause(shown.id)):3}"
        click.echo(f"{shown.id:8} {shown.kind:10} {counts}  {shown.sentence}")


class _Progress:
    """Says on the terminal which check runs; on one line where there is a terminal, else a line a check."""

    def __init__(self, total: int) -> None:
        self._total, self._number = total, 0
        self._alive = sys.stderr.isatty()

    def __call__(self, check: Any, found: Any) -> None:
        """Say that a check begins, or what it saw."""
        if found is None:
            self._number += 1
            if self._alive:
                click.echo(f"\r\x1b[K[{self._number}/{self._total}] {check.title} …", nl=False, err=True)
        elif not self._alive:
            click.echo(f"[{self._number}/{self._total}] {check.id}: {found.outcome}", err=True)
        if self._alive and found is not None and self._number == self._total:
            click.echo("\r\x1b[K", nl=False, err=True)


def _set_up_if_new() -> None:
    """Make the tables of a data folder that was never used, at home only: elsewhere a deployment does that."""
    from django.core.management import call_command  # noqa: PLC0415 - after Django's setup
    from django.db import connections  # noqa: PLC0415 - after Django's setup

    here = configuration.current()
    if here.environment != "local" or connections["default"].introspection.table_names():
        return
    here.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for alias in ("default", "journal", "keys"):
        call_command("migrate", database=alias, verbosity=0, interactive=False)


@permission("operator")
@policy.command()
@click.argument("clause_ids", metavar="[CLAUSE]...", nargs=-1)
@click.option("--format", "form", type=click.Choice(["text", "json", "junit", "sarif"]), default="text")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write there instead of printing.")
def verify(clause_ids: tuple[str, ...], form: str, output: Path | None) -> None:
    """Look whether the promises hold, now, on this installation; all of them, or those named.

    Exit code: 0 every clause holds; 1 one is FAIL, ERROR or STALE; 3 none is, but one is UNKNOWN.
    """
    django.setup()
    from headshotly.proof import reports, services  # noqa: PLC0415 - after Django's setup
    from headshotly.proof.scene import Scene  # noqa: PLC0415 - after Django's setup
    from headshotly.proof.selectors import states  # noqa: PLC0415 - after Django's setup
    from headshotly.proof.service import Finder  # noqa: PLC0415 - after Django's setup

    _set_up_if_new()
    wanted = dict.fromkeys(clause_ids)
    chosen = services.checks_of(list(wanted))
    with Finder() as service:
        services.verify(
            scene=Scene(find_service=service),
            clause_ids=list(wanted),
            asked_by="command",
            progress=_Progress(len(chosen)),
        )
    judged: list[ClauseState] = [one for one in states().values() if not wanted or one.clause.id in wanted]
    report = reports.FORMATS[form](judged)
    if output is not None:
        output.write_text(report, encoding="utf-8")
    else:
        click.echo(report, nl=False)
    sys.exit(reports.exit_code(judged))


@permission("operator")
@policy.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(folder: Path) -> None:
    """Write an auditor's pack into FOLDER: OSCAL, statement of applicability, ASVS, evidence with proofs."""
    _load_every_enforcer()
    from headshotly.audit.sequencing import sequence_once  # noqa: PLC0415 - after Django's setup
    from headshotly.proof import exporting  # noqa: PLC0415 - after Django's setup

    while sequence_once():  # where no service runs, nobody else moves the newest run into the journal
        pass
    made = exporting.export(folder, progress=lambda name: click.echo(f"  {name}", err=True))
    click.echo(f"{made.files} files written to {made.folder}; sha256 of the index: {made.sha256}")


@permission("public")
@policy.command(name="verify-export")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--key", required=True, help="Verifier key, from “headshotly journal key”.")
@click.option("--witness", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Heads somebody kept.")
def verify_export(folder: Path, key: str, witness: Path | None) -> None:
    """Check an auditor's pack offline, as the program inside it does."""
    from headshotly.proof.verify_bundle import PackBroken, verify  # noqa: PLC0415 - needs no Django

    try:
        for sentence in verify(folder, verifier=key, witness=witness):
            click.echo(sentence)
    except (PackBroken, OSError) as error:
        raise Refusal(str(error), code="policy.pack_broken") from error
