"""The running service, and a browser to drive it."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, sync_playwright

from tests.local_server import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
PICTURES = REPOSITORY / "build" / "journeys"
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass
class Service:
    """A running installation of its own, in a folder of its own."""

    url: str
    http_port: int
    folder: Path
    process: "subprocess.Popen[bytes]"
    environment: dict[str, str]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def mails(self) -> list[Path]:
        return sorted((self.folder / "mail").glob("*.eml"))

    def newest_link(self) -> str:
        """Return the newest link that a customer was mailed; the house writes to its own staff too."""
        for path in reversed(self.mails()):
            body = message_from_bytes(path.read_bytes(), policy=policy.default).get_content()
            link = re.search(r"https://\S+/account/\S+", body)
            if link is not None:
                return link[0]
        raise AssertionError("no customer was mailed a link")

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "headshotly.frontdoor", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        # The web server alone may take 35 s: a process that is just starting misses the first word to end.
        return self.process.wait(timeout=45)


def launch(folder: Path) -> Service:
    """Start the service and return at once."""
    https_port, http_port = free_port(), free_port()
    url = f"https://localhost:{https_port}"
    environment = {
        **os.environ,
        "HEADSHOTLY_ENVIRONMENT": "local",
        "HEADSHOTLY_DATA": str(folder / "data"),
        "HEADSHOTLY_MAIL": str(folder / "mail"),
        "HEADSHOTLY_HTTPS_PORT": str(https_port),
        "HEADSHOTLY_HTTP_PORT": str(http_port),
        "HEADSHOTLY_URL": url,
        "TMPDIR": str(folder / "tmp"),
        "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
    }
    for name in ("HEADSHOTLY_DATABASE_URL", "HEADSHOTLY_KEYS_DATABASE_URL"):
        environment.pop(name, None)
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "headshotly.frontdoor", "serve"],
            env=environment,
            stdout=log,
            stderr=log,
            cwd=REPOSITORY,
        )
    return Service(url, http_port, folder, process, environment)


def start_service(folder: Path) -> Service:
    """Start the service and return when it is ready; in a folder where one ran before, when this one is."""
    earlier = (folder / "log").read_text().count("is ready") if (folder / "log").exists() else 0
    service = launch(folder)
    deadline = time.monotonic() + 60
    while service.log().count("is ready") == earlier:
        assert service.process.poll() is None, service.log()
        assert time.monotonic() < deadline, service.log()
        time.sleep(0.2)
    return service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = start_service(tmp_path)
    yield running
    if running.process.poll() is None:
        time.sleep(1)  # the detector reads on what was asked last
        running.stop()
    asked, refused, noted = inspected(running)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (PICTURES / "inspection.txt").open("a") as file:
        file.write(f"{asked} requests, {refused} refused, {noted} noted\n")
    assert refused == 0, "the request inspection took an ordinary request for an attack"


def inspected(running: Service) -> tuple[int, int, int]:
    """Return how many requests the event stream saw, and how many of them the inspection refused or noted."""
    with closing(sqlite3.connect(running.data / "headshotly.sqlite3")) as base:
        rows = base.execute("SELECT raw FROM incidents_event WHERE source = 'web'").fetchall()
    lines = [json.loads(raw) for (raw,) in rows]
    # The checks of the policy attack the service on purpose when it starts.
    found = [line.get("inspection", "") for line in lines if not line["query"].startswith("planted=")]
    return len(found), sum(one.startswith("blocked") for one in found), sum(one.startswith("noted") for one in found)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or Playwright's own. Where neither is there, the journeys are said not to have run.

    Ends with its file: Playwright's loop runs in this thread, and Django would take the next test for an async one.
    """
    path = shutil.which("chromium")
    with sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        except Error:
            sentence = "the journeys did not run: there is neither Debian's chromium nor Playwright's own browser"
            if os.environ.get("CI"):
                pytest.fail(sentence)
            pytest.skip(sentence)
        yield found
        found.close()


type Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    """Make fresh visitors. Foreign requests and errors in the console are collected and must stay empty."""
    contexts: list[BrowserContext] = []
    foreign: list[str] = []
    errors: list[str] = []

    def note_request(request: Request) -> None:
        if not request.url.startswith((service.url, "blob:", "data:")):
            foreign.append(request.url)

    def note_message(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def new_visitor(**options: Any) -> Page:
        context = browser.new_context(ignore_https_errors=True, base_url=service.url, accept_downloads=True, **options)
        contexts.append(context)
        context.on("request", note_request)
        context.on("console", note_message)
        visitor = context.new_page()
        visitor.on("pageerror", lambda error: errors.append(str(error)))
        return visitor

    yield new_visitor
    for context in contexts:
        context.close()
    assert foreign == []
    # The browser itself notes answers like 422; a script's or the policy's complaint is an error of ours.
    assert [text for text in errors if "Failed to load resource" not in text] == []


@pytest.fixture
def page(visit: Visit) -> Page:
    """A fresh visitor at a desk."""
    return visit()
