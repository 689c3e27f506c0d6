"""``headshotly slo``: how the service stands against its objectives."""

import json
from typing import Any

import click
import django

from headshotly.policy.permission import permission


def _percent(share: float | None, digits: int = 3) -> str:
    return "none" if share is None else f"{100 * share:.{digits}f} %"


@permission("operator")
@click.group(invoke_without_command=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def slo(context: click.Context, form: str) -> None:
    """Show each objective of the last thirty days, what is left of its budget, and how fast it burns."""
    if context.invoked_subcommand is not None:
        return
    django.setup()
    from headshotly.frontdoor import budgets  # noqa: PLC0415 - after Django's setup

    found = budgets.standings()
    if form == "json":
        click.echo(json.dumps([_document(one) for one in found], indent=1))
        return
    for one in found:
        said = "no events yet" if one.met is None else "met" if one.met else "MISSED"
        click.echo(f"{one.objective.id:<13} {said:<14} {one.objective.promise}")
        click.echo(
            f"{'':13} {_percent(one.counts.share)} of {one.counts.total} good, target "
            f"{_percent(one.objective.target, 1)}; budget left {_percent(one.left, 1)}"
        )
        if one.firing is not None:
            click.echo(f"{'':13} BURNING: {one.firing.alarm.severity}, {one.firing.long:.1f} times too fast")


def _document(one: Any) -> dict[str, Any]:
    return {
        "objective": one.objective.id,
        "promise": one.objective.promise,
        "target": one.objective.target,
        "good": one.counts.good,
        "total": one.counts.total,
        "met": one.met,
        "budget_left": one.left,
        "alarm": one.firing.alarm.severity if one.firing else None,
    }


@slo.command()
def rules() -> None:
    """Print the recording and alerting rules for Prometheus."""
    from headshotly.frontdoor import prometheus_rules  # noqa: PLC0415 - only here

    click.echo(prometheus_rules.written(), nl=False)
