"""The two sides of ``bench.service``: our running service, and the rival behind the same web server."""

import contextlib
import dataclasses
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from bench.scratch_postgres import ScratchPostgres
from bench.service_load import Ask

PROCESSES = 2
CUSTOMERS, SHOOTS, HEADSHOTS = 48, 16, 8
_READY_SECONDS = 60.0
_BOUNDARY = "a-bench-and-nothing-else"


@dataclass
class Side:
    """Where a side listens, who its customers are, and what it calls things."""

    name: str
    port: int
    folder: Path
    cookies: tuple[str, str]  # of the session, of CSRF protection
    sign_in_path: str
    email_field: str
    people: list[dict[str, object]] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    password: str = ""
    root: int = 0

    @property
    def base(self) -> str:
        """Return its address."""
        return f"https://localhost:{self.port}"

    def take(self, path: Path) -> None:
        """Read who its customers are."""
        told = json.loads(path.read_text())
        self.people, self.emails, self.password = told["people"], told["emails"], told["password"]

    def call(self, ask: Ask) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Ask once, and return status, headers and body."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # a certificate of its own, on loopback
        with contextlib.closing(http.client.HTTPSConnection("localhost", self.port, context=context)) as line:
            line.request(ask.method, ask.path, ask.body.read_bytes() if ask.body else None, dict(ask.headers))
            answer = line.getresponse()
            return answer.status, answer.headers, answer.read()

    def as_person(self, person: dict[str, object]) -> tuple[tuple[str, str], ...]:
        """Return the header that shows a session."""
        return (("Cookie", f"{self.cookies[0]}={person['session']}"),)

    def _protected(self) -> tuple[str, str]:
        """Return a CSRF cookie and the token that goes with it."""
        _, headers, body = self.call(Ask(self.sign_in_path))
        cookie = _cookies(headers)[self.cookies[1]]
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', body)
        assert token is not None
        return cookie, token[1].decode()

    def sign_ins(self) -> list[Ask]:
        """Return a sign-in for each customer, from a browser that signed in before."""
        cookie, token = self._protected()
        asks = []
        for place, email in enumerate(self.emails):
            body = self.folder / f"sign-in-{self.port}-{place}"
            body.write_text(
                urlencode({"csrfmiddlewaretoken": token, self.email_field: email, "password": self.password})
            )
            headers = [("Origin", self.base), ("Content-Type", "application/x-www-form-urlencoded")]
            first = Ask(self.sign_in_path, "POST", (*headers, ("Cookie", f"{self.cookies[1]}={cookie}")), body)
            status, answered, _ = self.call(first)
            assert status == 302, f"{self.name}: signing in was answered with {status}"
            known = {name: value for name, value in _cookies(answered).items() if "session" not in name}
            held = "; ".join(f"{name}={value}" for name, value in (known | {self.cookies[1]: cookie}).items())
            asks.append(Ask(self.sign_in_path, "POST", (*headers, ("Cookie", held)), body))
        return asks

    def uploads(self, path: str, photo: Path) -> list[Ask]:
        """Return an upload of a photo for each customer with a session."""
        cookie, token = self._protected()
        body = self.folder / f"upload-{self.port}"
        parts = [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'.encode(),
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="photos"; filename="photo.jpg"\r\n'.encode(),
            b"Content-Type: image/jpeg\r\n\r\n" + photo.read_bytes() + f"\r\n--{_BOUNDARY}--\r\n".encode(),
        ]
        body.write_bytes(b"".join(parts))
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        return [
            Ask(
                path,
                "POST",
                (
                    ("Origin", self.base),
                    ("Accept", "application/json"),
                    ("Content-Type", kind),
                    ("Cookie", f"{self.cookies[0]}={person['session']}; {self.cookies[1]}={cookie}"),
                ),
                body,
            )
            for person in self.people
        ]

    def starts(self) -> list[Ask]:
        """Return the start of a shoot of one headshot for each customer that has a photo."""
        cookie, token = self._protected()
        asks = []
        for place, person in enumerate(one for one in self.people if "photo" in one):
            body = self.folder / f"start-{place}"
            body.write_text(
                urlencode({"csrfmiddlewaretoken": token, "photo_ids": person["photo"], "styles": "studio-grey"})
            )
            cookies = f"{self.cookies[0]}={person['session']}; {self.cookies[1]}={cookie}"
            kind = ("Content-Type", "application/x-www-form-urlencoded")
            asks.append(Ask("/studio/start/", "POST", (("Origin", self.base), kind, ("Cookie", cookies)), body))
        return asks

    def pictures(self, pattern: str) -> list[Ask]:
        """Return a request for every headshot of every customer that has some."""
        return [
            Ask(pattern.format(one), headers=self.as_person(person))
            for person in self.people
            for one in person.get("headshots") or ()
        ]


def _cookies(headers: http.client.HTTPMessage) -> dict[str, str]:
    return dict(value.split(";", 1)[0].split("=", 1) for value in headers.get_all("Set-Cookie") or [])


def ours(folder: Path, port: int) -> Side:
    """Return our side."""
    return Side("HeadShotly", port, folder, ("__Host-session", "__Host-csrf"), "/account/sign-in/", "email")


def rival(folder: Path, port: int) -> Side:
    """Return the rival's."""
    return Side("bare Django", port, folder, ("sessionid", "csrftoken"), "/sign-in/", "username")


def dressed(bare: Side, port: int) -> Side:
    """Return the rival once more, with the customers and files of the bare one, and what surrounds our pages."""
    return dataclasses.replace(bare, name="dressed Django", port=port)


def environment(folder: Path, *, port: int, database: str = "") -> dict[str, str]:
    """Return the environment of every process of ours."""
    given = {
        "HEADSHOTLY_DATA": str(folder / "data"),
        "HEADSHOTLY_MAIL": str(folder / "mail"),
        "HEADSHOTLY_HTTPS_PORT": str(port),
        "HEADSHOTLY_HTTP_PORT": str(port + 1),
        "HEADSHOTLY_URL": f"https://localhost:{port}",
        "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
    }
    if database:
        given["HEADSHOTLY_DATABASE_URL"] = database
    return os.environ | given  # noqa: TID251 - handed on to the programs as it is


def rival_environment(folder: Path, *, database: str = "", dressed: bool = False) -> dict[str, str]:
    """Return the environment of every process of the rival."""
    given = {"RIVAL_FOLDER": str(folder), "RIVAL_DATABASE_URL": database}
    if dressed:
        given["RIVAL_DRESSED"] = "1"
    return os.environ | given | {"DJANGO_SETTINGS_MODULE": "bench.rival.settings"}  # noqa: TID251 - as above


def seed(module: str, given: dict[str, object], around: dict[str, str]) -> None:
    """Make one side's customers, in a process of its own."""
    subprocess.run([sys.executable, "-m", module, json.dumps(given)], env=around, check=True)


@contextlib.contextmanager
def running(side: Side, command: Sequence[str], around: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a side until it answers, and end it afterwards with all that it started."""
    with (side.folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=around, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until = time.monotonic() + _READY_SECONDS
        while True:
            with contextlib.suppress(OSError):
                side.call(Ask(side.sign_in_path))
                break
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{side.name} did not start:\n{(side.folder / 'log').read_text()}")
            time.sleep(0.2)
        side.root = process.pid
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def databases(*, postgres: bool) -> Iterator[tuple[str, str]]:
    """Yield the database address of each side; empty where each uses SQLite files."""
    if not postgres:
        yield "", ""
        return
    with ScratchPostgres() as cluster:
        cluster.create("headshotly_keys")
        yield cluster.create("headshotly"), cluster.create("rival")


@contextlib.contextmanager
def both(folder: Path, *, port: int, photo: Path, postgres: bool) -> Iterator[tuple[Side, Side, Side]]:
    """Run our side and both rivals with customers; the bare one's gallery is padded to be as long as ours."""
    mine, theirs = ours(folder / "ours", port), rival(folder / "rival", port + 2)
    for side in (mine, theirs):
        side.folder.mkdir()
    given = {"customers": CUSTOMERS, "shoots": SHOOTS, "headshots": HEADSHOTS, "photo": str(photo)}
    with databases(postgres=postgres) as (own_database, rival_database):
        around = environment(mine.folder, port=port, database=own_database)
        around_rival = rival_environment(theirs.folder, database=rival_database)
        seed("bench.service_people", given | {"folder": str(mine.folder)}, around)
        mine.take(mine.folder / "people.json")
        seed("bench.rival.people", given | {"folder": str(theirs.folder), "password": mine.password}, around_rival)
        theirs.take(theirs.folder / "rival.json")
        with running(mine, ["headshotly.frontdoor", "serve"], around):
            tls = mine.folder / "data" / "tls"
            pair = [str(tls / "certificate.pem"), str(tls / "key.pem"), str(PROCESSES)]
            command = ["bench.rival.server", str(theirs.port), *pair]
            with running(theirs, command, around_rival):
                missing = len(mine.call(galleries(mine)[0])[2]) - len(theirs.call(galleries(theirs)[0])[2])
            (theirs.folder / "padding.txt").write_text("x" * max(0, missing))
            more = dressed(theirs, port + 4)
            around_more = rival_environment(theirs.folder, database=rival_database, dressed=True)
            with (
                running(theirs, command, around_rival),
                running(more, ["bench.rival.server", str(more.port), *pair], around_more),
            ):
                yield mine, theirs, more


@contextlib.contextmanager
def alone(folder: Path, *, port: int, photo: Path, postgres: bool) -> Iterator[tuple[Side, int]]:
    """Run our side with customers; yield it and the process everything runs under."""
    mine = ours(folder, port)
    given = {"customers": CUSTOMERS, "shoots": SHOOTS, "headshots": HEADSHOTS, "photo": str(photo)}
    with databases(postgres=postgres) as (database, _):
        around = environment(folder, port=port, database=database)
        seed("bench.service_people", given | {"folder": str(folder)}, around)
        mine.take(folder / "people.json")
        with running(mine, ["headshotly.frontdoor", "serve"], around) as process:
            yield mine, process.pid


def galleries(side: Side) -> list[Ask]:
    """Return a request for each gallery."""
    mine = side.cookies[0].startswith("__Host-")
    return [
        Ask(f"/studio/shoots/{person['shoot']}/" if mine else "/gallery/", headers=side.as_person(person))
        for person in side.people
        if person.get("headshots")
    ]
