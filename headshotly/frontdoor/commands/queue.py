"""``headshotly queue``: what waits, what runs, what failed for good, and what lies dead at the broker."""

import click
import django

from headshotly.policy.permission import permission

_SHOWN = 20


@permission("operator")
@click.group(invoke_without_command=True)
@click.pass_context
def queue(context: click.Context) -> None:
    """Say how the queue stands."""
    if context.invoked_subcommand is not None:
        return
    django.setup()
    from headshotly.frontdoor import broker, queueing  # noqa: PLC0415 - after Django's setup

    click.echo(f"engine: {broker.engine()}")
    try:
        found = queueing.counts()
    except broker.BrokerGone as error:
        raise SystemExit(f"The queue does not answer ({error}); workers look into the database.") from None
    for name, count in found.items():
        click.echo(f"{name}: {count}")


@queue.command()
def failed() -> None:
    """List the tasks that failed for good, the latest first: which, when, and of what kind of error."""
    django.setup()
    from django_tasks_db.models import DBTaskResult  # noqa: PLC0415 - after Django's setup

    rows = DBTaskResult.objects.failed().order_by("-finished_at")
    for row in rows[:_SHOWN]:
        # The traceback may hold anything; the log has it.
        why = row.exception_class_path or "its workers died"
        click.echo(f"{row.finished_at:%Y-%m-%d %H:%M} UTC  {row.id}  {row.task_path}  {why}")
    click.echo(f"{rows.count()} tasks failed for good.")


@queue.command()
def sweep() -> None:
    """Announce every waiting task whose order is not under way, now."""
    django.setup()
    from headshotly.frontdoor import queueing  # noqa: PLC0415 - after Django's setup

    click.echo(f"{queueing.sweep()} tasks announced.")
