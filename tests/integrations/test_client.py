"""The generated client and ``headshotly --remote``: over real TLS against the service, and against a line that fails."""

import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import pytest
from click.testing import CliRunner
from django.db import connections
from headshotly_client import AuthenticatedClient
from headshotly_client.api.account import get_account
from headshotly_client.api.jobs import start_job
from headshotly_client.models import Account, NewJob

from headshotly.frontdoor import certificate
from headshotly.frontdoor.commandline import program as headshotly
from headshotly.frontdoor.commands import connection as remote
from headshotly.frontdoor.commands import remote as commands
from headshotly.frontdoor.server import tls_context
from headshotly.policy import clock
from headshotly.policy.refusal import Refusal
from headshotly.rights import tasks as rights_tasks
from headshotly.rights.models import Export
from headshotly.studio import tasks
from headshotly.studio.models import Headshot, Photo, Shoot
from tests.integrations.conftest import keep_photo

REPOSITORY = Path(__file__).resolve().parents[2]
CLIENT = REPOSITORY / "clients" / "python"


def test_regenerating_the_client_gives_what_is_committed(tmp_path) -> None:
    made, kept = tmp_path / "headshotly_client", CLIENT / "headshotly_client"
    subprocess.run(
        [
            Path(sys.executable).with_name("openapi-python-client"), "generate", "--meta", "none", "--output-path", made,
            "--path", REPOSITORY / "docs" / "formats" / "openapi.json", "--config", CLIENT / "generator.yaml",
        ],
        check=True, capture_output=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    (made / "py.typed").touch()
    shutil.rmtree(made / ".ruff_cache", ignore_errors=True)
    if os.environ.get("HEADSHOTLY_WRITE_TABLES"):
        shutil.rmtree(kept)
        shutil.copytree(made, kept)

    def files(folder: Path) -> dict[str, str]:
        found = sorted([*folder.rglob("*.py"), folder / "py.typed"])
        return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in found}

    found = files(made)
    assert len(found) > 40
    assert files(kept) == found


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args) -> None:
        pass


class _Server(WSGIServer):
    def get_request(self):
        """Shake hands in the request, so that one who breaks it off does not end the server."""
        return super().get_request()

    def handle_error(self, *_args) -> None:
        pass

    def finish_request(self, request, client_address) -> None:
        try:
            super().finish_request(request, client_address)
        finally:
            connections.close_all()


@pytest.fixture
def service(transactional_db, tmp_path):
    """The service over TLS on this machine, with the certificate of the embedded server."""
    from headshotly.frontdoor.wsgi import application

    chain, key = certificate.ensure(tmp_path / "tls", host="localhost")
    server = make_server("127.0.0.1", 0, application, server_class=_Server, handler_class=_Quiet)
    server.base_environ["HTTPS"] = "on"
    server.socket = tls_context(chain, key).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"https://localhost:{server.server_port}", chain
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
def run(service, program, tmp_path, monkeypatch):
    """Run ``headshotly --remote …``; while it waits, the worker works."""
    url, authority = service
    token = tmp_path / "token"
    token.write_text(program.token)
    token.chmod(0o600)

    def work(_seconds) -> None:
        for shoot in Shoot.objects.filter(state="queued"):
            tasks.run_shoot.call(str(shoot.id))
        for export in Export.objects.filter(state="waiting"):
            rights_tasks.build_export.call(str(export.id))

    monkeypatch.setattr(commands.time, "sleep", work)

    def begin(*arguments, answer: str = ""):
        whole = ["--remote", url, "--ca", str(authority), "--token-file", str(token), *map(str, arguments)]
        return CliRunner().invoke(headshotly, whole, input=answer, catch_exceptions=True)

    return begin


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_main_job_from_a_terminal_at_the_service(run, shared, tmp_path, flat_engine, person) -> None:
    good = shared / "photos" / "good" / "tf_grace_hopper.jpg"
    text = tmp_path / "cv.jpg"
    text.write_text("Dear sirs")
    done = run("shoot", good, text, "--style", "cv", "--style", "linkedin", "--out", tmp_path / "out")
    assert done.exit_code == 1, done.output
    assert "not a picture" in done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "tf_grace_hopper-cv.jpg", "tf_grace_hopper-linkedin.jpg",
    ]  # fmt: skip
    assert (tmp_path / "out" / "tf_grace_hopper-cv.jpg").read_bytes()[:2] == b"\xff\xd8"
    photo = Photo.objects.get()
    assert str(photo.id) in run("photos").output
    listed = run("results", "--out", tmp_path / "again")
    assert listed.output.count("linkedin") == 1
    assert len(list((tmp_path / "again").iterdir())) == 2
    made = Headshot.objects.first()
    assert run("delete", "--photo", photo.id, "--result", made.id).exit_code == 0
    assert run("delete").exit_code == 2
    assert (Photo.objects.count(), Headshot.objects.count()) == (0, 1)
    copy = tmp_path / "copy.zip"
    assert run("export", "--out", copy).exit_code == 0
    assert copy.stat().st_mode & 0o077 == 0
    assert json.loads(zipfile.ZipFile(copy).read("data.json"))["subject"] == str(person.id)
    assert run("delete", "--everything", answer="n\n").exit_code == 1
    gone = run("delete", "--everything", answer="y\n")
    assert "receipt" in gone.output
    assert isinstance(run("photos").exception, Refusal)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_what_is_fetched_can_be_cleaned_away(run, shared, tmp_path, flat_engine) -> None:
    good = shared / "photos" / "good" / "tf_grace_hopper.jpg"
    assert run("shoot", good, "--style", "cv", "--out", tmp_path / "out", "--clean").exit_code == 0
    assert len(list((tmp_path / "out").iterdir())) == 1
    assert (Photo.objects.count(), Headshot.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_teams_seats_from_a_terminal(run, person) -> None:
    from headshotly.orders import seats
    from headshotly.orders.models import Order, OrderState

    order = Order.objects.create(
        subject=person.id, package_id="team", seats=2, currency="EUR", price_minor=1, provider="x",
        created_at=clock.now(), state=OrderState.PAID,
    )  # fmt: skip
    seats.make(order)
    first = seats.of_buyer(person.id)[0].seat.id
    assert run("seats").output.count("free") == 2
    link = run("seats", "--link", first)
    assert link.output.startswith("https://")
    assert f"{first}  invited  since 20" in run("seats").output
    seats.take(actor=person.actor, subject=person.id, token=link.output.strip().rstrip("/").rsplit("/", 1)[1])
    assert isinstance(run("seats", "--link", first).exception, Refusal)
    assert f"{first}  taken    since 20" in run("seats").output
    assert run("seats", "--withdraw", first).output.count("free") == 2


@pytest.mark.clause("3.1.a")
@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_service_with_another_certificate_is_not_spoken_to(service, program, tmp_path, monkeypatch) -> None:
    url, authority = service
    monkeypatch.setenv(remote.TOKEN, program.token)
    other, _ = certificate.ensure(tmp_path / "other", host="localhost")
    for trusted in (None, other):
        with pytest.raises(remote.NotReached, match="not to be trusted"):
            remote.ask(get_account.sync_detailed, client=remote.connect(url, authority=trusted))
    found = remote.ask(get_account.sync_detailed, client=remote.connect(url, authority=authority))
    assert isinstance(found, Account)
    assert remote.trusting(None).minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_token_that_others_can_read_and_an_address_without_tls_are_refused(tmp_path, monkeypatch) -> None:
    for name in (remote.TOKEN, remote.TOKEN_FILE):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(remote.TokenUnsafe, match="Put a token"):
        remote.connect("https://x.example")
    token = tmp_path / "token"
    token.write_text("hsc_x\n")
    token.chmod(0o644)
    with pytest.raises(remote.TokenUnsafe, match="chmod 600"):
        remote.token(token)
    token.chmod(0o600)
    assert remote.token(token) == "hsc_x"
    monkeypatch.setenv(remote.TOKEN_FILE, str(token))
    assert remote.token(None) == "hsc_x"
    with pytest.raises(remote.TokenUnsafe, match="cannot be read"):
        remote.token(tmp_path / "none")
    for url in ("http://x.example", "x.example", "https://me@x.example"):
        with pytest.raises(remote.NotReached, match="https"):
            remote.connect(url)
    token.write_text("no certificate")
    with pytest.raises(remote.NotReached, match="no certificate"):
        remote.trusting(token)
    assert CliRunner().invoke(headshotly, ["remote", "photos"]).exit_code == 2


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "cannot be reached"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), "cannot be reached"),
        (httpx.ReadTimeout("timed out"), "too long"),
        (httpx.RemoteProtocolError("peer closed"), "broke off"),
    ],
)
def test_a_line_that_fails_is_told_in_plain_words(waits, failure, said) -> None:
    def call(**_: object) -> None:
        raise failure

    with pytest.raises(remote.NotReached, match=said) as refused:
        remote.ask(call)
    assert "Errno" not in refused.value.sentence
    assert len(waits) == 4


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", found.append)
    return found


def played(*answers):
    """A client whose line answers like this, call after call; an error is what happens instead."""
    left, asked = list(answers), []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        now = left.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    client = AuthenticatedClient(base_url="https://x.example/api/v1", token="t", raise_on_unexpected_status=True)
    client.set_httpx_client(httpx.Client(base_url="https://x.example/api/v1", transport=httpx.MockTransport(answer)))
    return client, asked


def problem(status: int, **headers) -> httpx.Response:
    said = {"type": "t", "title": "t", "status": status, "detail": "Please wait.", "code": "c"}
    return httpx.Response(status, json=said, headers=headers)


FINE = {"id": "00000000-0000-0000-0000-000000000007", "scopes": [], "token_expires_at": "2026-11-27T00:00:00Z",
        "headshots_left": 1, "deletion_due_at": None}  # fmt: skip


def test_it_waits_as_long_as_it_is_told(waits) -> None:
    client, asked = played(problem(429, **{"Retry-After": "7"}), problem(503), httpx.Response(200, json=FINE))
    assert remote.ask(get_account.sync_detailed, client=client).headshots_left == 1
    assert waits == [7, 2]
    assert len(asked) == 3


@pytest.mark.parametrize("trouble", [httpx.ConnectError("gone"), problem(503), httpx.Response(502, text="no")])
def test_it_gives_up_in_plain_words(waits, trouble) -> None:
    client, asked = played(*[trouble] * 5)
    with pytest.raises(Refusal) as refused:
        remote.ask(get_account.sync_detailed, client=client)
    assert refused.value.sentence.endswith(".")
    assert len(asked) == 5


def test_a_refusal_is_not_asked_again(waits) -> None:
    client, asked = played(problem(403))
    with pytest.raises(Refusal, match=r"Please wait\."):
        remote.ask(get_account.sync_detailed, client=client)
    assert (len(asked), waits) == (1, [])


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_job_whose_answer_was_lost_is_asked_for_again_and_done_once(program, person, waits) -> None:
    """It happened but reported failure: the line broke after the service had done it."""
    photo, lost = keep_photo(person), []

    def line(request: httpx.Request) -> httpx.Response:
        key = request.headers["Idempotency-Key"]
        answer = program.say("jobs", json.loads(request.content), key=key)
        if not lost:
            lost.append(key)
            raise httpx.ReadTimeout("the answer never came")
        assert answer["Idempotency-Replayed"] == "true"
        return httpx.Response(answer.status_code, content=answer.content)

    client = AuthenticatedClient(base_url="https://x.example/api/v1", token="t")
    client.set_httpx_client(httpx.Client(base_url="https://x.example/api/v1", transport=httpx.MockTransport(line)))
    new = NewJob.from_dict({"photo_ids": [str(photo.id)], "styles": ["cv"]})
    job = remote.ask(start_job.sync_detailed, client=client, body=new, idempotency_key="k")
    assert job.id == Shoot.objects.get().id


def test_a_download_that_breaks_off_leaves_nothing(tmp_path) -> None:
    client, _ = played(httpx.ReadError("gone"), problem(404))
    for kind in (remote.NotReached, Refusal):
        with pytest.raises(kind):
            remote.stream_to(client, "/exports/7/file", tmp_path / "copy.zip")
    assert list(tmp_path.iterdir()) == []
