"""Traces: off by default, sent where they may go, carried into jobs, and nobody in them."""

import http.server
import threading

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from headshotly.access.warrants import owner_warrant
from headshotly.audit.actor import Actor
from headshotly.frontdoor import metrics, tracing, worker
from headshotly.frontdoor.models import JobTrace
from headshotly.policy import correlation
from headshotly.policy import tracing as spans
from headshotly.studio import tasks
from headshotly.studio.tasks import run_shoot
from headshotly.vault import services as vault
from headshotly.vendors import gate
from headshotly.vendors.errors import EgressRefused
from tests.accounts.conftest import EMAIL, PASSWORD, _quick, browser, customer, db_all  # noqa: F401 - fixtures
from tests.frontdoor.test_logs import PLANTED, found_in, surroundings

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def kept():
    """Trace everything into memory, cleaned as what leaves is."""
    memory = InMemorySpanExporter()

    class Cleaning(tracing.GatedExporter):
        def export(self, batch):
            return memory.export([tracing.cleaned(one) for one in batch])

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Cleaning(lambda _body: 200)))
    tracing.begin(provider)
    yield memory
    tracing.end()


def told(memory) -> bytes:
    return "\n".join(one.to_json() for one in memory.get_finished_spans()).encode()


def test_nothing_is_traced_unless_a_collector_is_named(db_all):  # noqa: F811
    assert tracing.install() is None
    assert not spans.tracing()
    with spans.span("vault.open") as made:
        assert made is None
        assert correlation.current().trace_id == ""
    browser().get("/")
    assert not JobTrace.objects.exists()


@pytest.mark.clause("3.2.a")
def test_a_request_its_openings_and_its_queries_are_one_trace_without_anybody(customer, kept):  # noqa: F811
    actor = Actor(kind="customer", id=customer.id)
    object_id = vault.seal(
        actor=actor, subject=customer.id, kind="photo", purpose="view", plaintext=PLANTED["street"].encode()
    )
    warrant = owner_warrant(customer_id=customer.id, session_key="session", purpose="view")
    kept.clear()
    with spans.span("request"):
        vault.open(object_id=object_id, warrant=warrant)
    found = {one.name: one for one in kept.get_finished_spans()}
    assert set(found) == {"request", "vault.open", "journal.append"}
    assert found["journal.append"].parent.span_id == found["vault.open"].context.span_id
    assert found["vault.open"].parent.span_id == found["request"].context.span_id
    kept.clear()
    owner = browser()
    owner.raise_request_exception = False
    owner.post("/account/sign-in/", {"email": EMAIL, "password": PASSWORD}, headers=surroundings())
    owner.get(
        f"/studio/?q={PLANTED['name']}", headers={**surroundings(), "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    )
    owner.get(f"/{PLANTED['token']}/{PLANTED['file']}", headers=surroundings())
    requests = [one for one in kept.get_finished_spans() if one.name == "request"]
    assert [(one.attributes["route"], one.attributes["status"]) for one in requests] == [
        ("accounts:sign-in", 302), ("studio:home", 302), ("none", 404),
    ]  # fmt: skip
    assert all(f"{one.context.trace_id:032x}" != "a" * 32 for one in requests), "no trace comes from outside"
    queries = [one for one in kept.get_finished_spans() if one.name == "database.query"]
    assert {one.attributes["operation"] for one in queries} >= {"select", "insert"}
    assert found_in(told(kept)) == set()
    assert EMAIL.encode() not in told(kept)


@pytest.mark.clause("3.2.a")
def test_what_a_careless_room_puts_into_a_span_does_not_leave(kept):
    with pytest.raises(ValueError, match="wakacje"):
        with spans.span(f"photo of {EMAIL}", email=PLANTED["address"], source=PLANTED["name"], count=3) as made:
            made.add_event(PLANTED["token"], {"card": PLANTED["card"]})
            made.set_attribute("reference", PLANTED["session"])
            raise ValueError(PLANTED["file"])
    (one,) = kept.get_finished_spans()
    assert one.name == "unnamed"
    assert dict(one.attributes) == {"count": 3, "error": "ValueError"}
    assert one.events == ()
    assert one.status.description is None
    assert found_in(told(kept)) == set()


def test_the_scan_sees_a_planted_attribute(kept, monkeypatch):
    monkeypatch.setattr(tracing, "cleaned", lambda span: span)
    with spans.span("photo", email=PLANTED["address"]):
        pass
    assert found_in(told(kept)) == {"address"}


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_job_goes_on_in_the_trace_that_asked_for_it(db_all, kept, monkeypatch):  # noqa: F811
    monkeypatch.setattr(tasks, "_begin", lambda _shoot_id: None)
    with spans.span("request") as asking:
        run_shoot.enqueue(shoot_id=PLANTED["token"])
    assert JobTrace.objects.count() == 1
    worker.LeasedWorker(batch=True).run()
    (job,) = [one for one in kept.get_finished_spans() if one.name == "job"]
    assert job.context.trace_id == asking.get_span_context().trace_id
    assert job.parent.span_id == asking.get_span_context().span_id
    assert job.attributes["task"] == "headshotly.studio.tasks.run_shoot"
    assert not JobTrace.objects.exists()
    run_shoot.enqueue(shoot_id=PLANTED["token"])
    assert not JobTrace.objects.exists(), "where nothing was traced, nothing is kept"
    assert found_in(told(kept)) == set()


@pytest.fixture
def collector():
    """A collector on this machine; ``status`` is what it answers."""
    heard: list[bytes] = []

    class Takes(http.server.BaseHTTPRequestHandler):
        status = 200

        def do_POST(self):
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(Takes.status)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/traces", heard, Takes
    server.shutdown()
    server.server_close()


def options(monkeypatch, **given):
    import dataclasses

    from headshotly.policy import configuration

    here = dataclasses.replace(configuration.current(), options=given)
    monkeypatch.setattr(configuration, "current", lambda: here)


def lost() -> float:
    return metrics.SPANS_LOST._value.get()


@pytest.mark.clause("1.2.d")
def test_a_collector_on_this_machine_gets_otlp_and_what_it_refuses_is_counted(collector, monkeypatch):
    url, heard, takes = collector
    options(monkeypatch, **{"traces.collector": url, "traces.share": "1000"})
    provider = tracing.install()
    try:
        with spans.span("request", route="landing", status=200):
            with spans.span("vault.open"):
                pass
        assert provider.force_flush()
        found = ExportTraceServiceRequest.FromString(heard[0]).resource_spans[0]
        assert [one.name for one in found.scope_spans[0].spans] == ["vault.open", "request"]
        assert {one.key for one in found.resource.attributes} == {"service.name", "service.instance"}
        takes.status, before = 503, lost()
        with spans.span("request"):
            pass
        provider.force_flush()
        assert lost() == before + 1
    finally:
        tracing.end()
        provider.shutdown()


@pytest.mark.clause("1.2.d", "9.1.b")
def test_any_other_collector_is_a_vendor_on_the_register_or_gets_nothing(monkeypatch):
    for url in ("http://collector.example/v1/traces", "ftp://127.0.0.2/", "collector"):
        options(monkeypatch, **{"traces.collector": url})
        with pytest.raises(tracing.CollectorRefused):
            tracing.install()
    options(monkeypatch, **{"traces.collector": "http://127.0.0.1:1/", "traces.share": "lots"})
    with pytest.raises(tracing.CollectorRefused):
        tracing.install()
    assert not spans.tracing()
    asked = []

    def nobody(host, **named):
        asked.append((host, named["carries"], named["routine"]))
        raise EgressRefused("This host is on no register, so nothing is sent there.")

    monkeypatch.setattr(gate, "require", nobody)
    exporter = tracing.GatedExporter(tracing._sender("https://traces.example.eu/v1/traces"))
    before = lost()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.begin(provider)
    with spans.span("request"):
        pass
    tracing.end()
    assert asked == [("traces.example.eu", ("pseudonymous work orders and alerts",), True)]
    assert lost() == before + 1
