"""Health and readiness: one word, to anybody, and nothing of what is behind it."""

import threading

import pytest
from click.testing import CliRunner
from django.test import Client

from headshotly.frontdoor import broker, health
from headshotly.frontdoor.broker import BrokerGone

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])
SECRET = "password=hunter2 at db.internal"


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    monkeypatch.setattr(health, "TRUST_SECONDS", 0.0)
    health.forget()
    health._asking.clear()
    yield
    health.draining.clear()
    health.forget()
    health._asking.clear()


def ask(path: str, **more) -> tuple[int, bytes]:
    answer = Client(**more).get(path)
    return answer.status_code, answer.content


def test_a_sound_service_is_alive_and_ready() -> None:
    assert ask("/healthz") == (200, b"ok")
    assert ask("/readyz") == (200, b"ok")


def test_a_balancer_may_name_us_by_number_and_without_tls() -> None:
    """A load balancer's probe says ``Host: 10.20.4.9:8443``."""
    assert ask("/readyz", headers={"Host": "10.20.4.9:8443"}) == (200, b"ok")
    assert ask("/", headers={"Host": "10.20.4.9:8443"})[0] == 400, "nothing else is answered to a foreign name"
    answer = Client().post("/readyz")
    assert answer.status_code == 405
    assert not Client().get("/healthz").cookies


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.clause("3.1.b")
def test_a_probe_carries_the_headers_of_every_other_page(path: str) -> None:
    answer = Client().get(path, secure=True)
    assert answer["Strict-Transport-Security"].startswith("max-age=")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in Client().get(path)


@pytest.mark.parametrize("name", sorted(health.NEEDED))
def test_what_does_not_answer_makes_us_unready_and_is_not_named(monkeypatch, name) -> None:
    def broken() -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setitem(health.NEEDED, name, broken)
    assert ask("/readyz") == (503, b"not")
    assert ask("/healthz") == (200, b"ok")
    monkeypatch.undo()
    monkeypatch.setattr(health, "TRUST_SECONDS", 0.0)
    assert ask("/readyz") == (200, b"ok"), "it comes back by itself"


def test_what_hangs_is_not_waited_for_and_not_asked_again(monkeypatch) -> None:
    go_on, asked = threading.Event(), []

    def hangs() -> None:
        asked.append(True)
        go_on.wait(20)

    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.1)
    monkeypatch.setitem(health.NEEDED, "store", hangs)
    try:
        assert ask("/readyz") == (503, b"not")
        assert ask("/readyz") == (503, b"not")
        assert len(asked) == 1
    finally:
        go_on.set()


def test_a_real_engine_that_is_gone_is_noticed(monkeypatch, settings) -> None:
    from headshotly.vault import wiring

    def gone(*_: object, **__: object) -> None:
        raise OSError(SECRET)

    monkeypatch.setattr(type(wiring.object_store()), "holds", gone)
    assert ask("/readyz") == (503, b"not")
    monkeypatch.undo()
    monkeypatch.setattr(health, "TRUST_SECONDS", 0.0)
    monkeypatch.setattr(type(wiring.key_service()), "wrap", gone)
    assert ask("/readyz") == (503, b"not")


def test_many_who_ask_cost_one_look(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(health, "TRUST_SECONDS", 60.0)
    monkeypatch.setitem(health.NEEDED, "store", lambda: asked.append(True))
    for _ in range(5):
        assert ask("/readyz") == (200, b"ok")
    assert len(asked) == 1


def test_who_was_told_to_end_is_alive_but_not_ready() -> None:
    health.draining.set()
    assert ask("/healthz") == (200, b"ok")
    assert ask("/readyz") == (503, b"not")


def test_without_its_broker_the_web_serves_on_and_the_command_says_so(monkeypatch) -> None:
    from headshotly.frontdoor.commands.health import health as command

    class Gone:
        def answers(self) -> None:
            raise BrokerGone(SECRET)

    said = CliRunner().invoke(command)
    assert said.exit_code == 0, said.output
    assert said.output.splitlines() == ["database: ok", "key service: ok", "store: ok", "queue: ok"]
    monkeypatch.setattr(broker, "current", Gone)
    assert ask("/readyz") == (200, b"ok")
    said = CliRunner().invoke(command)
    assert said.exit_code == 1
    assert "queue: does not answer" in said.output
    assert SECRET not in said.output
