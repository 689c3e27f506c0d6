"""``headshotly vendors …``: keep the register from the terminal, such as before the console can be reached at all."""

import datetime as dt
import hashlib
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import django

from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal

if TYPE_CHECKING:
    from headshotly.audit.actor import Actor

_HANDLE = re.compile(r"[a-z][a-z0-9-]{1,30}")
_BY = click.option("--by", required=True, help="Your handle, such as founder-1; never a name.")


@permission("operator")
@click.group()
def vendors() -> None:
    """Keep the register of vendors; nothing leaves for anybody who is not on it."""
    django.setup()


def _actor(handle: str) -> "Actor":
    from headshotly.audit.actor import Actor  # noqa: PLC0415 - after Django's setup

    if not _HANDLE.fullmatch(handle):
        raise Refusal("A handle is a short word such as founder-1; the journal keeps no names.", code="vendor.handle")
    return Actor(kind="system", role=handle)


@vendors.command(name="list")
def show() -> None:
    """Show every vendor in use and how it stands, and what waits."""
    from headshotly.vendors import selectors  # noqa: PLC0415 - after Django's setup

    for one in selectors.in_use():
        click.echo(f"{one.vendor.slug:16} {one.standing.name:9} {one.because}")
    for vendor in selectors.proposed():
        click.echo(f"{vendor.slug:16} proposed  {vendor.id}")
    for assessment in selectors.waiting_assessments():
        click.echo(f"{assessment.slug:16} assessed  {assessment.id} ({assessment.score} %)")


@vendors.command()
@click.argument("entry")
@_BY
def propose(entry: str, by: str) -> None:
    """Propose ENTRY: aws, stripe, slack, pagerduty, or a TOML file with one table by the vendor's short name."""
    from headshotly.vendors import register  # noqa: PLC0415 - after Django's setup
    from headshotly.vendors.known import known  # noqa: PLC0415 - after Django's setup

    found: dict[str, Any]
    if entry in known():
        found = {entry: known()[entry]}
    elif Path(entry).is_file():
        found = tomllib.loads(Path(entry).read_text(encoding="utf-8"))
    else:
        raise Refusal(f"“{entry}” is neither a known entry ({', '.join(known())}) nor a file.", code="vendor.entry")
    for slug, fields in found.items():
        try:
            made = register.propose(actor=_actor(by), slug=slug, **fields)
        except TypeError:
            raise Refusal(f"The entry “{slug}” has other parts than an entry has.", code="vendor.entry") from None
        click.echo(f"{slug}: proposed as {made.id}")


@vendors.command()
@click.argument("slug")
@click.option("--kind", required=True, help="agreement, iso-27001, soc-2, pci-dss, physical, other")
@click.option("--file", "paper", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--sha256", "known_hash", help="In place of --file, where the paper lies on another machine.")
@click.option("--title", help="What the paper is called; the file's name where none is said.")
@click.option("--from", "from_on", required=True, type=click.DateTime(["%Y-%m-%d"]))
@click.option("--until", "until_on", required=True, type=click.DateTime(["%Y-%m-%d"]))
@_BY
def document(  # noqa: PLR0917 - click hands options over by name
    slug: str, kind: str, paper: Path | None, known_hash: str | None, title: str | None,
    from_on: dt.datetime, until_on: dt.datetime, by: str,
) -> None:  # fmt: skip
    """Record a paper of SLUG: its hash and how long it is good; the paper itself stays where it is."""
    from headshotly.vendors import register  # noqa: PLC0415 - after Django's setup

    if (paper is None) is (known_hash is None):
        raise Refusal("Name the paper by --file or by --sha256, and not by both.", code="vendor.paper")
    if paper:
        with paper.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    else:
        sha256 = (known_hash or "").lower()
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise Refusal("A SHA-256 has 64 digits from 0 to f.", code="vendor.paper")
    register.record_document(
        actor=_actor(by),
        slug=slug,
        kind=kind,
        title=title or (paper.stem if paper else kind),
        sha256=sha256,
        from_on=from_on.date(),
        until_on=until_on.date(),
    )
    click.echo(f"{slug}: {kind} {sha256}")


@vendors.command()
@click.argument("slug")
@click.option("--answers", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--answer", "each", multiple=True, help="question=yes, in place of a file; said once for each question.")
@_BY
def assess(slug: str, answers: Path | None, each: tuple[str, ...], by: str) -> None:
    """Assess SLUG by a TOML file of answers: question = "yes", "partly" or "no"; see “vendors questions”."""
    from headshotly.vendors import register  # noqa: PLC0415 - after Django's setup

    if (answers is None) is (not each):
        raise Refusal("Give --answers with a file, or --answer for each question.", code="vendor.answers")
    if answers:
        given = tomllib.loads(answers.read_text(encoding="utf-8"))
    else:
        given = {question: said for question, _, said in (one.partition("=") for one in each)}
    made = register.assess(actor=_actor(by), slug=slug, answers={key: str(value) for key, value in given.items()})
    click.echo(f"{slug}: {made.score} %, waits for approval as {made.id}")


@vendors.command()
def questions() -> None:
    """Print the questionnaire as a file to fill in."""
    from headshotly.vendors.questionnaire import questions as asked  # noqa: PLC0415 - after Django's setup

    for question in asked():
        click.echo(f'# {question.ask}{" (must be yes)" if question.must else ""}\n{question.id} = ""\n')


@vendors.command()
@click.argument("waiting", type=click.UUID)
@_BY
def approve(waiting: Any, by: str) -> None:
    """Approve an assessment or a proposal by its id; never one's own."""
    from headshotly.vendors import register  # noqa: PLC0415 - after Django's setup
    from headshotly.vendors.models import VendorAssessment  # noqa: PLC0415 - after Django's setup

    if VendorAssessment.objects.filter(id=waiting).exists():
        register.approve_assessment(actor=_actor(by), assessment_id=waiting)
    else:
        register.approve(actor=_actor(by), vendor_id=waiting)
    click.echo("Approved.")


@vendors.command()
@click.argument("slug")
@click.option("--because", required=True)
@_BY
def end(slug: str, because: str, by: str) -> None:
    """End the use of SLUG at once."""
    from headshotly.vendors import register  # noqa: PLC0415 - after Django's setup

    register.end(actor=_actor(by), slug=slug, because=because)
    click.echo("Ended; nothing goes there any more.")
