"""The embedded web server: gunicorn with our own idea of TLS (clause 3.1), and its plain-text twin that redirects."""

import ctypes
import os
import signal
import ssl
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from headshotly.frontdoor.logs import StructuredLines
from headshotly.policy.enforcement import enforces

THREADS = 8
TIMEOUT_SECONDS = 60
KEEPALIVE_SECONDS = 5
GRACE_SECONDS = 30  # for what is under way when the server is told to end
# Of glibc's malloc.h: what is larger than this goes back to the system when it is freed; and of how many places
# threads take the rest. Left to itself, each thread's place keeps the size of the largest photos it ever held.
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_RETURNED_FROM, _PLACES = 1 << 20, 2
type Environ = dict[str, Any]
type StartResponse = Callable[..., Any]


def give_memory_back() -> bool:
    """Let freed pictures leave the process instead of staying with the thread that held them.

    Call it before threads begin; processes forked later have it too.

    Returns:
        Whether the C library knows how; another than glibc goes on as it is.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(*pair) == 1 for pair in ((_M_MMAP_THRESHOLD, _RETURNED_FROM), (_M_ARENA_MAX, _PLACES)))


@enforces("3.1.a")
def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a context that speaks TLS 1.2 and 1.3, with forward secrecy and authenticated encryption only.

    Args:
        certificate: PEM file.
        key: PEM file.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")  # TLS 1.3 has none but such
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(certificate, key)
    return context


class WebServerLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's log, handed on to the root's handlers instead of written in its own form."""

    def setup(self, cfg: Any) -> None:
        """Take gunicorn's settings, and every handler away that would write otherwise."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in [one for one in log.handlers if not isinstance(one.formatter, StructuredLines)]:
                log.removeHandler(handler)
            log.propagate = True


class Web(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn, configured in code."""

    def __init__(self, application: Callable[..., Any], options: dict[str, Any]) -> None:
        """Take the WSGI application and gunicorn's settings."""
        self._application, self._options = application, options
        super().__init__()

    def load_config(self) -> None:
        """Hand the settings to gunicorn."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        """Return the application."""
        return self._application


def https(
    application: Callable[..., Any],
    *,
    port: int,
    host: str,
    certificate: Path,
    key: Path,
    workers: int,
    hooks: dict[str, Any] | None = None,
    drain: float = 0.0,
    keepalive: int = KEEPALIVE_SECONDS,
) -> Web:
    """Return the HTTPS server.

    Args:
        application: the WSGI application.
        port: TCP port.
        host: address to listen on.
        certificate: PEM file.
        key: PEM file.
        workers: processes.
        hooks: what gunicorn calls when a process begins or ends, by its own names.
        drain: seconds for which a server that was told to end still takes requests, while it says that it is not
            ready: as long as a load balancer needs to see that. Then it takes none, and ends what is under way.
        keepalive: seconds for which a connection without a request stays open; behind a load balancer that keeps
            connections, longer than it does, or it sends a request into one that is just being closed.
    """
    give_memory_back()
    context = tls_context(certificate, key)
    options = _common(f"{host}:{port}") | {
        "workers": workers,
        "threads": THREADS,
        "worker_class": "gthread",
        "certfile": str(certificate),
        "keyfile": str(key),
        "ssl_context": lambda _config, _default: context,
        "timeout": TIMEOUT_SECONDS,
        "keepalive": keepalive,
        "graceful_timeout": GRACE_SECONDS + int(drain),
        "post_worker_init": lambda worker: _drain_first(worker, drain),
        **(hooks or {}),
    }
    return Web(application, options)


def _drain_first(worker: Any, seconds: float) -> None:
    """Say “not ready” from the first request to end on, and end only after a while; a second request ends at once."""
    from headshotly.frontdoor import health  # noqa: PLC0415 - Django is set up in the worker

    def told(number: int, frame: Any) -> None:
        again = health.draining.is_set()
        health.draining.set()
        if again or not seconds:
            worker.handle_exit(number, frame)
            return
        later = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM))
        later.daemon = True
        later.start()

    signal.signal(signal.SIGTERM, told)


@enforces("3.1.b")
def redirector(*, port: int, host: str, public_url: str) -> Web:
    """Return the plain HTTP server; its only answer is where to go instead."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        # The host of the answer is ours, never the one the request names.
        target = public_url + quote(str(environ.get("PATH_INFO", "/")), safe="/%:@!$&'()*+,;=~-._")
        start_response("308 Permanent Redirect", [("Location", target), ("Content-Length", "0")])
        return []

    options = _common(f"{host}:{port}") | {"workers": 1, "threads": 2, "worker_class": "gthread", "timeout": 20}
    return Web(application, options)


def _common(bind: str) -> dict[str, Any]:
    return {
        "bind": bind,
        "loglevel": "warning",
        "logger_class": WebServerLog,
        "accesslog": None,  # addresses of people stay out of logs
        "graceful_timeout": 5,
        # gunicorn would believe forwarded headers from this machine; whom to believe is for ``proxies`` alone.
        "forwarded_allow_ips": "",
        "limit_request_line": 4094,
        "limit_request_fields": 64,
        "limit_request_field_size": 8190,
        "control_socket_disable": True,
    }
