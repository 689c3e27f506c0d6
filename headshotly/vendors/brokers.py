"""The one place that talks to a Redis or Valkey server: each connection asks the gate before it is made.

Clauses 2.2, 3.1.a and 9.1.b. Work orders are ids and nothing else, and still no host gets them that is on no register.
"""

from typing import Any
from urllib.parse import urlsplit

import redis
from redis.connection import Connection, ConnectionPool, SSLConnection
from redis.exceptions import RedisError, ResponseError

from headshotly.policy.enforcement import enforces
from headshotly.vendors import categories, gate, way_out

__all__ = ["RedisError", "ResponseError", "client"]

_CONNECT_SECONDS = 3.0
_ANSWER_SECONDS = 20.0


def _ask(host: str) -> None:
    if host not in way_out.LOOPBACK:
        gate.require(host, carries=(categories.PSEUDONYMS,), routine=True, cannot_wait=True)


class _Plain(Connection):
    """A connection without TLS, to a server on this machine."""

    def _connect(self) -> Any:
        _ask(str(self.host))
        return super()._connect()  # type: ignore[no-untyped-call]


class _Tls(SSLConnection):
    """A connection with TLS that asked the gate."""

    def _connect(self) -> Any:
        _ask(str(self.host))
        return super()._connect()  # type: ignore[no-untyped-call]


@enforces("2.2", "3.1.a", "9.1.b")
def client(url: str) -> "redis.Redis":
    """Return a client of one server.

    Args:
        url: ``rediss://host:port/number``; ``redis://`` without TLS only on this very machine.

    Raises:
        ValueError: the address is none of these.
    """
    parts = urlsplit(url)
    if parts.scheme == "redis" and parts.hostname in way_out.LOOPBACK:
        kind: type[Connection] = _Plain
    elif parts.scheme == "rediss" and parts.hostname:
        kind = _Tls
    else:
        raise ValueError("the address of the queue must begin with rediss://; redis:// is for this machine alone")
    pool = ConnectionPool.from_url(
        url,
        connection_class=kind,
        protocol=2,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        health_check_interval=30,
    )
    return redis.Redis(connection_pool=pool)
