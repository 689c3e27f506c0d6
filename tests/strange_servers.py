"""TLS servers that hang, trickle, lie or answer well: what is at the other end of an address that somebody named."""

import datetime as dt
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

type Behaviour = Callable[["Stream"], None]


class Stream:
    """One connection: the request that came, and what may be said to it."""

    def __init__(self, stream: ssl.SSLSocket, over: threading.Event) -> None:
        self.request, self._stream, self.over = whole(stream), stream, over

    def say(self, data: bytes) -> None:
        self._stream.sendall(data)

    def hang(self) -> None:
        """Say nothing until the test is over."""
        self.over.wait(30)

    def trickle(self, data: bytes, *, again: bytes = b"x") -> None:
        """Say something, and then something more every now and then, without end."""
        self.say(data)
        while not self.over.wait(0.05):
            self.say(again)


def whole(stream: socket.socket) -> bytes:
    """Return a request with its body, however many pieces it comes in."""
    data = stream.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    announced = re.search(rb"(?i)content-length: (\d+)", head)
    while announced and len(body) < int(announced[1]):
        data += (more := stream.recv(65536))
        body += more
    return data


def answers(status: int) -> Behaviour:
    return lambda stream: stream.say(f"HTTP/1.1 {status} Said\r\nContent-Length: 2\r\n\r\nok".encode())


# What is no answer, however long one listens.
NO_ANSWER: dict[str, Behaviour] = {
    "hangs": lambda stream: stream.hang(),
    "trickles a status line": lambda stream: stream.trickle(b"HTTP/1.1 2", again=b"0"),
    "trickles headers": lambda stream: stream.trickle(b"HTTP/1.1 200 OK\r\n", again=b"X: y\r\n"),
    "says wait for ever": lambda stream: stream.trickle(b"", again=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "hangs up": lambda _stream: None,
    "speaks something else": lambda stream: stream.say(b"220 mail.example ESMTP\r\n"),
    "has a header without end": lambda stream: stream.trickle(b"HTTP/1.1 200 OK\r\nX: ", again=b"y" * 30_000),
}
# What is a yes, whatever is said after it.
TAKEN: dict[str, Behaviour] = {
    "answers": answers(204),
    "trickles a body": lambda stream: stream.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"),
    "lies about its length": lambda stream: stream.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nshort"),
}


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the two sides' contexts: of a server with these names, and of whoever believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "both.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    return serving, ssl.create_default_context(cafile=file)


@contextmanager
def serving(context: ssl.SSLContext, behave: Behaviour) -> Iterator[int]:
    """Serve whoever connects, each on a thread, and yield the port."""
    over, listening = threading.Event(), socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve(raw: socket.socket) -> None:
        try:
            with raw, context.wrap_socket(raw, server_side=True) as stream:
                stream.settimeout(5)
                behave(Stream(stream, over))
                stream.unwrap()
        except OSError:
            return

    def accept() -> None:
        while not over.is_set():
            try:
                raw = listening.accept()[0]
            except OSError:
                return
            threading.Thread(target=serve, args=(raw,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
