"""Receives syslog over TLS (RFC 5425): frames of ``LENGTH SP MESSAGE``, from senders that show a certificate we know.

A sender is read only as fast as the disk keeps its messages, so that memory is bounded and TCP itself holds it back.
"""

import asyncio
import logging
import ssl
from uuid import uuid4

from headshotly.incidents import spool
from headshotly.incidents.sources.syslog import MESSAGE_BYTES_MAX
from headshotly.incidents.sources.syslog_lines import line
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

PORT = 6514  # RFC 5425
SENDERS_MAX = 200
_LENGTH_DIGITS = 6
_IDLE_SECONDS = 900.0
_RETRY_SECONDS = 1.0
_logger = logging.getLogger(__name__)


class Receiver:
    """Takes messages from any number of senders."""

    def __init__(self) -> None:
        """Begin with nobody connected."""
        self._senders = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one sender's messages until it goes, or sends what is no frame."""
        if self._senders >= SENDERS_MAX:
            writer.close()
            return
        self._senders += 1
        try:
            while message := await asyncio.wait_for(_frame(reader), _IDLE_SECONDS):
                await _keep(message)
        except (ValueError, asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, TimeoutError) as error:
            _logger.warning("syslog-sender.let-go", extra={"error": type(error).__name__})
        finally:
            self._senders -= 1
            writer.close()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """Return the next message; empty where the sender went between two frames.

    Raises:
        ValueError: what comes is no frame, or is longer than is ever taken.
    """
    digits = b""
    while (digit := await reader.read(1)) != b" ":
        if not digit and not digits:
            return b""
        digits += digit
        if not digit.isdigit() or len(digits) > _LENGTH_DIGITS:
            raise ValueError("no frame of RFC 5425")
    length = int(digits or b"0")
    if not 0 < length <= MESSAGE_BYTES_MAX:
        raise ValueError("a frame of no or too great length")
    return await reader.readexactly(length)


async def _keep(message: bytes) -> None:
    """Keep a message; while the disk takes none, the sender waits and so does everything behind it."""
    kept = line(message, uid=uuid4().hex, received_at=clock.now())
    written = await asyncio.to_thread(spool.writer("syslog").append, kept)
    while not written:
        await asyncio.sleep(_RETRY_SECONDS)
        written = await asyncio.to_thread(spool.writer("syslog").append)


@enforces("3.1.a", "8.2.b")
async def listen(context: ssl.SSLContext, *, host: str, port: int) -> asyncio.Server:
    """Return a listening server.

    Args:
        context: TLS with the certificates senders must have.
        host: address.
        port: TCP port.

    Raises:
        ValueError: the context would let in whoever comes.
    """
    if context.verify_mode is not ssl.CERT_REQUIRED:
        raise ValueError("a syslog receiver asks its senders for certificates")
    # A sender that never reads would leave session tickets unread; closing then resets, and takes messages with it.
    context.num_tickets = 0
    receiver = Receiver()
    return await asyncio.start_server(receiver.serve, host, port, ssl=context, limit=2 * MESSAGE_BYTES_MAX)
