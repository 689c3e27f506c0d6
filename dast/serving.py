"""The service under scan: as anybody starts it, on scratch data, behind a certificate that the scan can check."""

import email
import email.policy
import html
import http.cookiejar
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPSHandler, Request, build_opener

import pyotp

from dast.results import ScanFailed

_REPOSITORY = Path(__file__).resolve().parents[1]
_FORM = re.compile(r"<form.*?</form>", re.DOTALL)
_ACTION = re.compile(r'<form[^>]*\saction="([^"]+)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_LINK = re.compile(r"https://\S+/account/confirm/\S+")
_SECRET = re.compile(r"<code>([A-Z2-7]{32})</code>")
_NAMES = Path(__file__).with_name("names")  # what Python loads into the service: a name server of the scan's own
_STEP = 30  # seconds that a code of an authenticator app lasts (RFC 6238)
PASSWORD = "sieben leise Pinguine 58"  # noqa: S105 - of an account that lives as long as the scan  # pragma: allowlist secret


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass(frozen=True, slots=True)
class Service:
    """A running service.

    Attributes:
        url: where it answers.
        authority: PEM file that vouches for its certificate.
        mail: folder its mails lie in.
        environment: its surroundings, for commands beside it.
        log: what it printed.
        asked: names that it looked up, one a line.
    """

    url: str
    authority: Path
    mail: Path
    environment: dict[str, str]
    log: Path
    asked: Path


@contextmanager
def running(folder: Path, authority: Path, zone: Mapping[str, Sequence[Sequence[str]]]) -> Iterator[Service]:
    """Run the service on free ports of this machine.

    Its request inspection notes and does not refuse: what stands behind it is to be looked at, as if it were not there.
    It sends to customers' endpoints as in production, but the only names there are are the scan's.

    Args:
        folder: for its data; ``folder/data/tls`` holds its certificate already.
        authority: that vouches for it.
        zone: name → what it answers the first time, the second time, and so on; the last answer stays.

    Raises:
        ScanFailed: it did not become ready.
    """
    port = _free_port()
    url = f"https://localhost:{port}"
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    given = {name: value for name, value in os.environ.items() if not name.startswith("HEADSHOTLY_")}
    environment = given | {
        "HEADSHOTLY_ENVIRONMENT": "local",
        "HEADSHOTLY_DATA": str(folder / "data"),
        "HEADSHOTLY_MAIL": str(folder / "mail"),
        "HEADSHOTLY_HTTPS_PORT": str(port),
        "HEADSHOTLY_HTTP_PORT": str(_free_port()),
        "HEADSHOTLY_URL": url,
        "HEADSHOTLY_OPTION_INSPECTION__MODE": "note",
        "HEADSHOTLY_OPTION_API__PER_MINUTE": "1000000",  # the scan is to see answers, not that there were too many
        "HEADSHOTLY_OPTION_WEBHOOKS__OUTSIDE": "yes",
        "DAST_ZONE": json.dumps(zone),
        "DAST_ASKED": str(folder / "asked"),
        "PYTHONPATH": str(_NAMES),
        "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
        "TMPDIR": str(folder / "tmp"),
    }
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "headshotly.frontdoor", "serve"], cwd=_REPOSITORY, env=environment, stdout=out,
            stderr=out, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        _wait(process, log)
        yield Service(url, authority, folder / "mail", environment, log, folder / "asked")
    finally:
        _stop(process)


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while "is ready" not in log.read_text(encoding="utf-8", errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ScanFailed(f"The service did not start: {log.read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.2)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(frozen=True, slots=True)
class Page:
    """What came back.

    Attributes:
        status: of HTTP.
        path: where it was found after redirects.
        text: the page.
    """

    status: int
    path: str
    text: str

    def form(self, typed: Iterable[str]) -> tuple[str, dict[str, str]]:
        """Return where the form that asks for these fields goes to, and its hidden fields.

        Raises:
            ScanFailed: there is no such form.
        """
        for form in _FORM.findall(self.text):
            if all(f'name="{name}"' in form for name in typed):
                to = _ACTION.match(form)
                hidden = {match[1]: html.unescape(match[2]) for match in _HIDDEN.finditer(form)}
                return (html.unescape(to[1]) if to else self.path), hidden
        raise ScanFailed(f"No form on {self.path} asks for {', '.join(typed)}.")


@dataclass(slots=True)
class Browser:
    """Somebody's browser, without scripts.

    Attributes:
        service: that it looks at.
        own_page: a path that only who is signed in comes to.
    """

    service: Service
    own_page: str
    _jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def get(self, path: str) -> Page:
        """Return a page; redirects are followed."""
        return self._ask(Request(f"{self.service.url}{path}"))  # noqa: S310 - our own address, https

    def fill_in(self, page: Page, **typed: str) -> Page:
        """Send the form on a page that asks for these fields, and return what follows."""
        to, hidden = page.form(typed)
        address, referer = f"{self.service.url}{to}", f"{self.service.url}{page.path}"
        body = urlencode(hidden | typed).encode()
        return self._ask(Request(address, body, {"Referer": referer}))  # noqa: S310 - our own address, https

    def press(self, page: Page, action: str) -> Page:
        """Send the form on a page that goes to this path, as it is, and return what follows.

        Raises:
            ScanFailed: there is no such form.
        """
        for form in _FORM.findall(page.text):
            if (to := _ACTION.match(form)) and html.unescape(to[1]) == action:
                hidden = {match[1]: html.unescape(match[2]) for match in _HIDDEN.finditer(form)}
                headers = {"Referer": f"{self.service.url}{page.path}"}
                body = urlencode(hidden).encode()
                return self._ask(Request(f"{self.service.url}{action}", body, headers))  # noqa: S310 - our own address, https
        raise ScanFailed(f"No form on {page.path} goes to {action}.")

    def _ask(self, request: Request) -> Page:
        context = ssl.create_default_context(cafile=str(self.service.authority))
        opener = build_opener(HTTPSHandler(context=context), HTTPCookieProcessor(self._jar))
        try:
            with opener.open(request, timeout=20) as answer:
                return Page(answer.status, answer.url.removeprefix(self.service.url), answer.read().decode())
        except HTTPError as refused:
            return Page(refused.code, refused.url.removeprefix(self.service.url), refused.read().decode())

    def hold(self, cookies: Mapping[str, str]) -> None:
        """Take cookies over, such as those of a session."""
        for name, value in cookies.items():
            self._jar.set_cookie(
                http.cookiejar.Cookie(
                    0, name, value, None, port_specified=False, domain="localhost.local", domain_specified=False,
                    domain_initial_dot=False, path="/", path_specified=True, secure=True, expires=None, discard=True,
                    comment=None, comment_url=None, rest={},
                )
            )  # fmt: skip

    @property
    def cookies(self) -> dict[str, str]:
        """Return what the browser holds."""
        return {cookie.name: cookie.value or "" for cookie in self._jar}

    @property
    def is_signed_in(self) -> bool:
        """Say whether the account still answers to these cookies."""
        return self.get(self.own_page).path == self.own_page


def sign_up(service: Service, email: str = "zofia.skanowska@example.org") -> Browser:
    """Return a new customer who has confirmed their address, is signed in, and consented.

    Args:
        service: that runs.
        email: whom nobody else is.

    Raises:
        ScanFailed: a step did not lead to the next.
    """
    customer = Browser(service, "/account/settings/")
    typed = {"name": "Zofia Skanowska", "email": email, "password": PASSWORD}
    customer.fill_in(customer.get("/account/sign-up/"), **typed)
    link = _newest_link(service, email)
    customer.fill_in(customer.get(link.removeprefix(service.url)), password=PASSWORD)
    then = customer.fill_in(customer.get("/studio/"), agree="yes")
    if not customer.is_signed_in or then.path != "/studio/":
        raise ScanFailed(f"The customer of the scan did not come to the studio but to {then.path}.")
    return customer


def enter_staff(service: Service, *, handle: str, role: str) -> Browser:
    """Return a new member of staff who enrolled with an authenticator app and signed in with both factors.

    Each code counts once: the one of the step before enrols, that of the present step signs in.

    Raises:
        ScanFailed: a step did not lead to the next.
    """
    member = Browser(service, "/staff/")
    page = member.get(invite(service, handle=handle, role=role))
    secret = _SECRET.search(page.text)
    if secret is None:
        raise ScanFailed("The page on which staff enrol shows no secret for an authenticator app.")
    app = pyotp.TOTP(secret[1])
    member.fill_in(page, password=PASSWORD, code=app.at(int(time.time()) - _STEP))
    for _ in range(2):  # a step may end between our clock and theirs; the next one is good in any case
        said = member.fill_in(
            member.get("/staff/sign-in/"), handle=handle, password=PASSWORD, code=app.at(int(time.time()))
        )
        if member.is_signed_in:
            break
        time.sleep(_STEP - time.time() % _STEP)
    else:
        raise ScanFailed(f"The member of staff of the scan did not come in: {said.status} at {said.path}.")
    return member


def invite(service: Service, *, handle: str, role: str) -> str:
    """Return the path at which a new member of staff enrols."""
    link = beside(service, "-m", "headshotly.frontdoor", "staff", "create", handle, "--role", role).splitlines()[-1]
    return link.strip().removeprefix(service.url)


_ISSUE = """
import sys, django
django.setup()
from headshotly.accounts.models import Customer
from headshotly.audit.actor import Actor
from headshotly.integrations import tokens
subject = Customer.objects.filter(confirmed_at__isnull=False).latest("confirmed_at").id
actor = Actor(kind="customer", id=subject)
print(tokens.issue(actor=actor, subject=subject, name="scan", scopes=sorted(tokens.SCOPES), days=1))
"""


def issue_token(service: Service) -> str:
    """Return a token of the newest customer that may do everything a token can.

    Raises:
        ScanFailed: none was issued.
    """
    return beside(service, "-c", _ISSUE)


def beside(service: Service, *arguments: str) -> str:
    """Return what a command beside the service printed."""
    made = subprocess.run(
        [sys.executable, *arguments], cwd=_REPOSITORY, env=service.environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        raise ScanFailed(f"A command beside the service failed: {made.stderr[-1000:]}")
    return made.stdout.strip()


def _newest_link(service: Service, to: str) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for path in sorted(service.mail.glob("*.eml"), reverse=True):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            link = _LINK.search(mail.get_content()) if mail.get_content_type() == "text/plain" else None
            if link is not None and to in str(mail["To"]):
                return link[0]
        time.sleep(0.2)
    raise ScanFailed("The customer of the scan was mailed no link.")
