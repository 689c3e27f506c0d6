"""``headshotly detector``: reads the event stream and raises alerts, until told to stop."""

import logging

import click
import django

from headshotly.frontdoor.stopping import Stopping
from headshotly.policy.permission import permission

_logger = logging.getLogger(__name__)

PAUSE = 0.2  # seconds after a look that left nothing behind: every transaction has its price, whatever it takes in


@permission("operator")
@click.group(invoke_without_command=True)
@click.option("--once", is_flag=True, help="Read what is waiting, then stop.")
@click.pass_context
def detector(context: click.Context, *, once: bool) -> None:
    """Read the event stream and raise alerts."""
    if context.invoked_subcommand is not None:
        return
    django.setup()
    from django.db import Error as DatabaseFailure  # noqa: PLC0415 - after Django's setup
    from django.db import connections  # noqa: PLC0415 - after Django's setup

    from headshotly.frontdoor import loaded, program_metrics  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor.database_roles import require_separated  # noqa: PLC0415 - after Django's setup
    from headshotly.incidents import setting_up  # noqa: PLC0415 - after Django's setup
    from headshotly.incidents.reading import BATCH  # noqa: PLC0415 - after Django's setup

    require_separated()
    if not once:
        program_metrics.listen("detector")
    stop = Stopping().on()
    stream = setting_up.stream()
    loaded.leave_to_itself()
    while not stop.is_told():
        try:
            taken = stream.step()
            program_metrics.saw_step("detector", taken=taken)
        except DatabaseFailure as error:
            # Nothing is lost: what a step did not commit is read again.
            _logger.warning("database.no-answer", exc_info=error, extra={"program": "detector"})
            program_metrics.saw_step("detector", failed=True)
            connections.close_all()
            if once:
                raise
            taken = 0
        if once and not taken:
            return
        if taken < BATCH and not once:
            stop.wait(PAUSE)


@detector.command()
def rules() -> None:
    """List every rule, and say of each that does not run why."""
    django.setup()
    from headshotly.incidents import setting_up  # noqa: PLC0415 - after Django's setup

    book = setting_up.book()
    running = [(one.level, one.title, one.author, one.path) for one in book.rules]
    running += [(one.level, one.title, one.author, one.path) for one in book.correlations]
    for level, title, author, path in running:
        click.echo(f"{level:<14} {title}   ({author}; {path})")
    for refused in book.refused:
        click.echo(f"does not run   {refused.title}: {refused.reason}   ({refused.path})")
    click.echo(f"{len(book.rules)} rules, {len(book.correlations)} correlations, {len(book.refused)} that do not run.")


@detector.command()
def plant() -> None:
    """Plant an event; its alert shows that the whole way works."""
    django.setup()
    from headshotly.incidents import planting  # noqa: PLC0415 - after Django's setup

    mark = planting.plant()
    seconds = planting.wait_for(mark, at_most=10.0)
    if seconds is None:
        raise SystemExit(f"The planted event {mark} raised no alert within ten seconds. Does the detector run?")
    click.echo(f"The planted event raised its alert after {seconds:.2f} s.")


@detector.command()
@click.option("--listen", "host", default="127.0.0.1")
@click.option("--port", default=6514, help="RFC 5425 names 6514.")
@click.option(
    "--senders", type=click.Path(exists=True, dir_okay=False), required=True, help="PEM of the CA of senders."
)
def syslog(host: str, port: int, senders: str) -> None:
    """Receive syslog over TLS from senders that show a certificate."""
    django.setup()
    import asyncio  # noqa: PLC0415 - only this command needs it
    import ssl  # noqa: PLC0415 - only this command needs it
    from urllib.parse import urlsplit  # noqa: PLC0415 - only this command needs it

    from headshotly.frontdoor import certificate  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor.server import tls_context  # noqa: PLC0415 - after Django's setup
    from headshotly.incidents import syslog_server  # noqa: PLC0415 - after Django's setup
    from headshotly.policy import configuration  # noqa: PLC0415 - after Django's setup

    here = configuration.current()
    name = urlsplit(here.public_url).hostname or "localhost"
    context = tls_context(*certificate.ensure(here.data_folder / "tls", host=name))
    context.load_verify_locations(senders)
    context.verify_mode = ssl.CERT_REQUIRED

    async def run() -> None:
        server = await syslog_server.listen(context, host=host, port=port)
        click.echo(f"Receiving syslog over TLS on {host}:{port}.", err=True)
        async with server:
            await server.serve_forever()

    asyncio.run(run())
