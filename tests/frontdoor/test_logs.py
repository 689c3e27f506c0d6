"""Nothing personal in anything logged: whatever is asked, done or broken (clauses 3.2.a, 5.3.a)."""

import ast
import contextlib
import http.cookiejar
import json
import logging
import re
import ssl
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
import uuid
import warnings
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DataError
from django.urls import path

from headshotly.frontdoor import logs, roster
from headshotly.frontdoor import urls as real_urls
from headshotly.frontdoor.health import Probes
from headshotly.policy import configuration, correlation
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal
from tests.access.conftest import at_desk, make_member
from tests.access.test_permissions import _EXAMPLE, _PARAMETER, addresses
from tests.accounts.conftest import _quick, browser, db_all, make_customer  # noqa: F401 - fixtures

PACKAGE = Path(logs.__file__).resolve().parents[1]
EMAIL, PASSWORD = "wiktoria.lisowska@sadzonka.example", "siedem zielonych Latarni 1987"
PLANTED = {
    "address": EMAIL,
    "name": "Wiktoria Sadzonkowska",
    "street": "ulica Sadzonkowa 17",
    "file": "wakacje-wiktorii-7731.jpg",
    "token": "tok_9f8e7d6c5b4a39281706",
    "card": "4242424242424242",
    "session": "sesja0a1b2c3d4e5f60718293",
    "password": PASSWORD,
}
SPELLINGS = {
    kind: re.compile(
        "|".join(re.escape(form) for form in {word, urllib.parse.quote(word), urllib.parse.quote_plus(word)}).encode(),
        re.IGNORECASE,
    )
    for kind, word in PLANTED.items()
}


def found_in(*texts: bytes) -> set[str]:
    """Name the kinds of planted data that stand in a text."""
    return {kind for kind, spelled in SPELLINGS.items() if any(spelled.search(text) for text in texts)}


def spooled() -> bytes:
    return b"".join(one.read_bytes() for one in (configuration.current().data_folder / "spool").rglob("*.ndjson"))


@contextlib.contextmanager
def written(capfd, *, form: str = "json"):
    """Let everything be logged, in one of the two forms, and collect what comes out of the process."""
    handlers = [one for one in logging.root.handlers if isinstance(one, logs.Terminal)]
    assert handlers, "the log goes through our handler"
    level, before = logging.getLogger("headshotly").level, handlers[0].formatter
    logging.getLogger("headshotly").setLevel(logging.DEBUG)
    handlers[0].setFormatter(logs.StructuredLines(readable=form == "readable"))
    capfd.readouterr()
    out: list[bytes] = []
    try:
        yield out
        out.extend(text.encode() for text in capfd.readouterr())
    finally:
        logging.getLogger("headshotly").setLevel(level)
        handlers[0].setFormatter(before)


def surroundings() -> dict:
    return {
        "User-Agent": f"Mozilla {PLANTED['address']}",
        "Cookie2": PLANTED["session"],
        "Referer": f"{configuration.current().public_url}/account/confirm/{PLANTED['token']}/?to={EMAIL}",
        "X-Forwarded-For": PLANTED["address"],
        "Accept-Language": PLANTED["name"],
    }


FORM = {
    "email": EMAIL, "name": PLANTED["name"], "password": PASSWORD, "new_password": PASSWORD, "text": PLANTED["street"],
    "words": PLANTED["name"], "reason": PLANTED["street"], "token": PLANTED["token"], "code": PLANTED["token"],
    "address": PLANTED["street"], "title": PLANTED["name"], "subject": EMAIL, "purpose": PLANTED["name"],
}  # fmt: skip


def knock(client, where: str) -> None:
    """Ask an address for everything, with personal data wherever a browser could put some."""
    planted = _PARAMETER.sub(lambda one: PLANTED["token"] if one[1] in {"str", None} else _EXAMPLE[one[1]], where)
    query = urllib.parse.urlencode({"q": PLANTED["name"], "email": EMAIL, "token": PLANTED["token"], "next": "/x"})
    client.raise_request_exception = False
    client.cookies["__Host-language"] = PLANTED["name"].replace(" ", "")
    client.get(f"{planted}?{query}", headers=surroundings())
    file = SimpleUploadedFile(PLANTED["file"], PLANTED["street"].encode())
    client.post(planted, {**FORM, "photos": file}, headers=surroundings())
    client.post(planted, json.dumps(FORM), content_type="application/json", headers=surroundings())


@pytest.mark.clause("3.2.a", "5.3.a")
@pytest.mark.django_db(databases="__all__")
def test_every_page_and_every_act_logs_nobody(db_all, capfd):  # noqa: F811
    make_customer(email=EMAIL, password=PASSWORD, name=PLANTED["name"])
    owner, guest = browser(), browser()
    owner.post("/account/sign-in/", {"email": EMAIL, "password": PASSWORD})
    guest.cookies["__Host-session"] = PLANTED["session"]
    desk = at_desk(make_member("security-officer"))
    asked = 0
    with written(capfd) as out:
        for where, _ in addresses():
            if "sign-out" in where:
                continue
            for client in (guest, owner, desk) if where.startswith("/staff/") else (guest, owner):
                knock(client, where)
                asked += 0 if where in Probes.VIEWS else 3  # balancers ask all the time, and are not logged
        knock(guest, f"/{PLANTED['token']}/{EMAIL}/")
        assert guest.get("/", headers={"User-Agent": PLANTED["card"]}).status_code == 422
        session = owner.cookies["__Host-session"].value
    lines = [json.loads(line) for line in out[1].splitlines() if line.startswith(b"{")]
    answered = [line for line in lines if line["event"] == "request.answered"]
    assert len(answered) == asked + 4, "every request is one line"
    assert all(len(line["request_id"]) == 32 for line in answered)
    assert {line["status"] for line in answered} >= {200, 302, 403, 404}
    assert found_in(*out) == set()
    assert session.encode() not in b"".join(out)
    assert found_in(spooled()) == set()
    assert session.encode() not in spooled()


class Quoting(Exception):
    """An error that says whose fault it was."""


def failing(request, name):
    kind = request.GET["kind"]
    said = " ".join(PLANTED.values())
    if kind == "chain":
        try:
            raise DataError(f"DETAIL: Key (email)=({EMAIL}) {said}")  # noqa: TRY301 - what is tested
        except DataError as error:
            raise Quoting(said) from error
    if kind == "os":
        Path(f"/nowhere/{PLANTED['file']}").read_bytes()
    if kind == "refusal":
        raise Refusal(said)
    if kind == "system":
        raise SystemExit(said)
    logging.getLogger("headshotly.studio.x").warning("photo %s of %s", PLANTED["file"], EMAIL)
    logging.getLogger("library").error(said, stack_info=True, extra={"request": request, "code": EMAIL})
    logging.getLogger("headshotly.studio.x").error("photo.lost", extra={"code": EMAIL, "reference": PLANTED["name"]})
    raise UnicodeDecodeError("utf-8", said.encode(), 0, 1, said)


class Broken:
    """The site, and a page that breaks."""

    urlpatterns = [*real_urls.urlpatterns, path("breaks/<str:name>/", permission("public")(failing))]
    handler500 = real_urls.handler500


@pytest.mark.clause("3.2.a", "5.3.a")
@pytest.mark.parametrize("form", ["json", "readable"])
@pytest.mark.django_db(databases="__all__")
def test_every_error_logs_its_kind_and_place_and_nobody(db_all, capfd, settings, form):  # noqa: F811
    settings.ROOT_URLCONF = Broken
    client = browser()
    client.raise_request_exception = False
    with written(capfd, form=form) as out, contextlib.suppress(SystemExit):
        for kind in ("chain", "os", "refusal", "plain"):
            client.get(f"/breaks/{PLANTED['token']}/?kind={kind}&email={EMAIL}", headers=surroundings())
    assert found_in(*out) == set()
    assert found_in(spooled()) == set()
    if form == "readable":
        assert b"ERROR library: request.failed" in out[1]
        return
    lines = [json.loads(line) for line in out[1].splitlines() if line.startswith(b"{")]
    failed = [line for line in lines if line["event"] == "request.failed"]
    assert [line["error"].rpartition(".")[2] for line in failed] == [
        "Quoting",
        "FileNotFoundError",
        "UnicodeDecodeError",
    ]
    assert failed[0]["causes"] == ["django.db.utils.DataError"]
    assert failed[1]["errno"] == 2
    assert "test_logs.py" in failed[0]["frames"][-1]
    assert {line["room"] for line in lines} >= {"library", "studio", "frontdoor"}
    lost = next(line for line in lines if line["event"] == "photo.lost")
    assert lost["withheld"] == ["code", "reference"]
    assert {line["request_id"] for line in failed} <= {
        line["request_id"] for line in lines if line["event"] == "request.answered"
    }


@pytest.mark.django_db(databases="__all__")
def test_duties_and_jobs_that_fail_say_which_and_no_more(db_all, capfd, monkeypatch):  # noqa: F811
    def breaks() -> str:
        raise Quoting(EMAIL)

    def refuses() -> str:
        raise Refusal(PLANTED["name"], code="duty.refused")

    def declared():
        from headshotly.policy.duties import Duty

        length = roster.RETRY
        return (Duty("audit.breaks", length, length, breaks), Duty("audit.refuses", length, length, refuses))

    monkeypatch.setattr(roster, "declared", declared)
    with written(capfd) as out:
        roster.run_due()
    assert found_in(*out) == set()
    lines = [json.loads(line) for line in out[1].splitlines() if line.startswith(b"{")]
    assert [(line["event"], line["duty"], line["code"]) for line in lines] == [
        ("duty.failed", "audit.breaks", ""),
        ("duty.refused", "audit.refuses", "duty.refused"),
    ]


def test_what_nobody_caught_comes_out_as_a_line_too(capfd, monkeypatch):
    """In a program of the service; pytest has hooks of its own in this process, so these are called."""
    for name in ("excepthook", "unraisablehook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    logs.guard_process()

    def run() -> None:
        raise Quoting(EMAIL)

    with written(capfd) as out:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        try:
            run()
        except Quoting as error:
            sys.excepthook(Quoting, error, error.__traceback__)
            sys.unraisablehook(type("Found", (), {"exc_value": error, "exc_traceback": None})())
        warnings.showwarning(EMAIL, UserWarning, __file__, 7)
    assert found_in(*out) == set()
    events = [json.loads(line)["event"] for line in out[1].splitlines()]
    assert events == ["thread.failed", "process.failed", "cleanup.failed", "library.warned"]


def test_the_scan_sees_a_planted_line(capfd):
    """A careless print, and a log whose formatter is not ours: both are what the tests above would have failed on."""
    with written(capfd) as out:
        sys.stderr.write(f"mail to {EMAIL}\n")
    assert found_in(*out) == {"address"}
    with written(capfd) as out:
        terminal = next(one for one in logging.root.handlers if isinstance(one, logs.Terminal))
        terminal.setFormatter(logging.Formatter())
        logging.getLogger("headshotly.rights.x").warning("asked by %s, card %s", PLANTED["name"], PLANTED["card"])
    assert found_in(*out) == {"name", "card"}
    assert found_in(urllib.parse.quote(f"/x/{EMAIL}").encode()) == {"address"}


def test_a_line_that_cannot_be_written_says_nothing_of_what_it_was(capfd, monkeypatch):
    monkeypatch.setattr(logs, "line_of", lambda _record: {"time": object()})
    with written(capfd) as out:
        logging.getLogger("headshotly.rights.x").warning("to %s", EMAIL)
    assert found_in(*out) == set()
    assert b"log.line-lost" in out[1]


def test_the_ids_of_the_work_stand_in_every_line(capfd):
    with written(capfd) as out, correlation.correlated(request_id="a" * 32):
        with correlation.correlated(job_id="b" * 32, trace_id="c" * 32):
            logging.getLogger("headshotly.rights.x").warning("thing.done", extra={"count": 3})
        logging.getLogger("headshotly.rights.x").warning("thing.done")
    first, second = (json.loads(line) for line in out[1].splitlines())
    assert (first["request_id"], first["job_id"], first["trace_id"]) == ("a" * 32, "b" * 32, "c" * 32)
    assert (second["request_id"], second["job_id"], second["trace_id"]) == ("a" * 32, "", "")
    assert list(first)[:10] == [
        "time", "level", "event", "room", "code", "request_id", "job_id", "trace_id", "span_id", "process",
    ]  # fmt: skip
    assert first["room"] == "rights"


def log_calls():
    """Yield every call of a logger in the package: file, line, method and the call."""
    methods = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods):
                continue
            owner = node.func.value
            name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            if name in {"_log", "_logger", "log", "logger", "logging"}:
                yield file.relative_to(PACKAGE), node


def test_every_log_line_of_ours_is_an_event_s_name_and_allowed_fields():
    """So that none of them comes out as “log.said”, or with a field withheld."""
    found = list(log_calls())
    assert len(found) > 25, "the walk found too little to mean anything"
    for file, call in found:
        where = f"{file}:{call.lineno}"
        assert len(call.args) == 1, where
        if isinstance(call.args[0], ast.Constant):
            assert logs.EVENT.fullmatch(call.args[0].value), where
        else:
            assert isinstance(call.args[0], ast.Name), where  # a name chosen from two constants a line before
        for keyword in call.keywords:
            assert keyword.arg in {"extra", "exc_info"}, where
            if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict):
                assert {key.value for key in keyword.value.keys} <= logs.FIELDS, where


class Visitor:
    """A browser without a screen, over TLS, with cookies."""

    def __init__(self, service) -> None:
        context = ssl.create_default_context(cafile=str(service.data / "tls" / "certificate.pem"))
        self.cookies = http.cookiejar.CookieJar()
        self._url = service.url
        self._open = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(self.cookies)
        ).open

    def ask(self, where: str, body: bytes | None = None, kind: str = "application/x-www-form-urlencoded") -> str:
        url = where if where.startswith("https") else f"{self._url}{where}"
        headers = {
            **surroundings(),
            "Referer": f"{self._url}/account/confirm/{PLANTED['token']}/",
            "Content-Type": kind,
        }
        try:
            request = urllib.request.Request(url, body, headers)  # noqa: S310 - our own service
            return self._open(request, timeout=30).read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.read().decode(errors="replace")

    def fill(self, page: str, where: str = "", **fields: str) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.ask(page))
        form = {"csrfmiddlewaretoken": token[1] if token else "", **fields}
        return self.ask(where or page, urllib.parse.urlencode(form).encode())

    def send(self, page: str, where: str, name: str, data: bytes) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.ask(page))[1]
        edge = uuid.uuid4().hex
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'.encode(),
            f'--{edge}\r\nContent-Disposition: form-data; name="photos"; filename="{name}"\r\n\r\n'.encode() + data,
            f"\r\n--{edge}--\r\n".encode(),
        ]
        return self.ask(where, b"".join(parts), f"multipart/form-data; boundary={edge}")
