"""``headshotly serve``: everything the service needs, in one terminal."""

import fcntl
import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import click
import django

from headshotly.continuity.marker import refuse_while_restoring
from headshotly.frontdoor.stopping import Stopping
from headshotly.frontdoor.supervisor import Child, Supervisor
from headshotly.policy import configuration
from headshotly.policy.configuration import Configuration
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal

WEB_STOP_SECONDS = 35.0  # an upload under way is taken in; see ``server.GRACE_SECONDS``


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)


def _claim(folder: Path) -> int:
    """Return a lock on the data folder; two services on one folder would not be one service.

    Raises:
        Refusal: another one runs on it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise Refusal(f"HeadShotly already runs on the data folder {folder}.", code="serve.running") from None
    return descriptor


def _require_officer() -> None:
    """Pass as ``access.services.require_officer`` does; Django is set up by now. No process forked later shares it."""
    from django.db import connections  # noqa: PLC0415 - after Django's setup

    from headshotly.access.services import require_officer  # noqa: PLC0415 - after Django's setup

    try:
        require_officer()
    finally:
        connections.close_all()


def _require_free(host: str, port: int, name: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise Refusal(
                f"Port {port} is taken by another program; choose another with HEADSHOTLY_{name}_PORT.",
                code="serve.port_taken",
            ) from None


def _answers(here: Configuration, certificate: Path) -> bool:
    """Say whether the service answers over TLS with its own certificate."""
    context = ssl.create_default_context(cafile=str(certificate))
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", here.https_port), timeout=2) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.sendall(b"GET /health/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return tls.recv(64).startswith(b"HTTP/1.1 200")
    return False


@permission("operator")
@click.group(invoke_without_command=True)
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.pass_context
def serve(context: click.Context, listen: str) -> None:
    """Run web server, redirector, worker, sequencer and duties until Ctrl-C."""
    refuse_while_restoring()
    if context.invoked_subcommand is not None:
        return
    stop = Stopping().on()  # from the first moment: what loads and migrates here may swallow an interrupt
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - after Django's setup

    from headshotly.access.services import ensure_first_staff  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor import certificate  # noqa: PLC0415 - after Django's setup
    from headshotly.studio.models_folder import MODELS, trusted  # noqa: PLC0415 - after Django's setup

    here = configuration.current()
    lock = _claim(here.data_folder)
    _require_free(listen, here.https_port, "HTTPS")
    _require_free(listen, here.http_port, "HTTP")
    for name in MODELS:
        trusted(here.models_folder, name)
    for alias in ("default", "journal", "keys"):
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    _require_officer()
    host = urlsplit(here.public_url).hostname or "localhost"
    certificate_path, _ = certificate.ensure(here.data_folder / "tls", host=host)
    link = ensure_first_staff()

    def when_ready() -> bool:
        if not _answers(here, certificate_path):
            return False
        _say(f"\nHeadShotly is ready: {here.public_url}")
        _say("Its certificate is its own, so your browser will ask once whether to trust it.")
        _say(f"Mail is written to {here.mail_folder}")
        if link:
            _say(f"The first member of staff, “operator”, enrols here, once, within a day:\n  {link}")
        _say("Stop with Ctrl-C.\n")
        return True

    children = [
        Child("web server", ["serve", "web", "--listen", listen], stop_seconds=WEB_STOP_SECONDS),
        Child("redirector", ["serve", "redirect", "--listen", listen]),
        Child("worker", ["worker"]),
        Child("sequencer", ["sequencer"]),
        Child("duties", ["duties", "run", "--quick"]),
        Child("slow duties", ["duties", "run", "--slow"]),
        Child("detector", ["detector"]),
        *_syslog(here, listen),
    ]
    Supervisor(children, _say, stop).run(when_ready)
    os.close(lock)
    _say("HeadShotly has stopped; everything is as you left it.")


def _syslog(here: Configuration, listen: str) -> list[Child]:
    """Return the receiver of syslog where its senders' CA is named: ``stream.syslog.senders``, ``.port``."""
    senders = here.options.get("stream.syslog.senders", "")
    if not senders:
        return []
    port = here.options.get("stream.syslog.port", "6514")
    return [Child("syslog", ["detector", "syslog", "--listen", listen, "--port", port, "--senders", senders])]


@serve.command()
@click.option("--listen", default="127.0.0.1")
@click.option("--port", type=int, help="Port of TLS; the configured one where none is named.")
@click.option("--processes", type=int, default=2, show_default=True)
def web(listen: str, port: int | None, processes: int) -> None:
    """Run the HTTPS server alone."""
    from headshotly.frontdoor import measuring_folder  # noqa: PLC0415 - only this process needs it
    from headshotly.frontdoor.settings import metrics_folder  # noqa: PLC0415 - as above

    here = configuration.current()
    measured = Path(here.options.get("metrics.folder") or here.data_folder / "metrics")
    folder, held = measuring_folder.make_folder(measured)
    metrics_folder(folder)  # before anything loads prometheus_client
    from headshotly.frontdoor import certificate, metrics  # noqa: PLC0415 - after that
    from headshotly.frontdoor.server import KEEPALIVE_SECONDS, https  # noqa: PLC0415 - only this process needs gunicorn
    from headshotly.frontdoor.wsgi import application  # noqa: PLC0415 - sets Django up

    _require_officer()
    from headshotly.frontdoor.database_roles import require_separated  # noqa: PLC0415 - after Django's setup

    require_separated()
    from django.urls import get_resolver  # noqa: PLC0415 - after Django's setup

    from headshotly.frontdoor import loaded, tally  # noqa: PLC0415 - after Django's setup

    tally.OF_THIS_PROCESS.begin()
    host = urlsplit(here.public_url).hostname or "localhost"
    certificate_path, key_path = certificate.ensure(here.data_folder / "tls", host=host)
    _ = get_resolver().url_patterns  # every view, once, before the processes part
    loaded.leave_to_itself()
    https(
        application,
        port=port or here.https_port,
        host=listen,
        certificate=certificate_path,
        key=key_path,
        workers=processes,
        hooks=metrics.hooks(folder, when_worker_ends=tally.OF_THIS_PROCESS.end),
        drain=float(here.options.get("web.drain_seconds", "0")),
        keepalive=int(here.options.get("web.keepalive_seconds", KEEPALIVE_SECONDS)),
    ).run()
    os.close(held)


@serve.command()
@click.option("--listen", default="127.0.0.1")
@click.option("--port", type=int, help="Port of plain HTTP; the configured one where none is named.")
def redirect(listen: str, port: int | None) -> None:
    """Run the HTTP server that only redirects."""
    from django.utils.log import configure_logging  # noqa: PLC0415 - this process needs nothing else of Django

    from headshotly.frontdoor import settings  # noqa: PLC0415 - as above
    from headshotly.frontdoor.server import redirector  # noqa: PLC0415 - only this process needs gunicorn

    configure_logging("logging.config.dictConfig", settings.LOGGING)
    here = configuration.current()
    redirector(port=port or here.http_port, host=listen, public_url=here.public_url).run()
