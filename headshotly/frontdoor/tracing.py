"""Traces: off unless the operator names a collector, then sent there in batches, through the vendors' gate.

Options: ``traces.collector`` is the collector's address, either of a program on this very machine
(``http://127.0.0.1:4318/v1/traces``, the agent beside each server, our own infrastructure) or of a vendor on the
register (https, in the Union, agreed to receive measurements); ``traces.share`` is how many of a thousand requests are
traced.

The protocol is OTLP over HTTP (opentelemetry.io, OTLP 1.x). Nothing of a trace comes from outside: a ``traceparent``
that a visitor sends is not taken over.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import Error as DatabaseFailure
from django.db import connections
from django.tasks.signals import task_enqueued
from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from headshotly.frontdoor import logs, metrics
from headshotly.frontdoor.models import JobTrace
from headshotly.policy import configuration, correlation, tracing
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vendors import categories, https, way_out

BATCH, BATCH_MS, QUEUE_MAX = 128, 5000, 2048
SHARE = 100  # of a thousand
_FINE = range(200, 300)
_PROGRAMS = frozenset({"web", "worker", "sequencer", "sender", "duties", "detector"})
_OPERATIONS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"})
_HEADERS = {"Content-Type": "application/x-protobuf"}
_logger = logging.getLogger(__name__)
type Send = Callable[[bytes], int]


class CollectorRefused(Refusal):
    """The collector is none that traces may go to."""

    code = "traces.collector"


def _sender(url: str) -> Send:
    """Return what hands a batch over and returns the status.

    Raises:
        CollectorRefused: the address is neither of this machine nor https.
    """
    host = urlsplit(url).hostname or ""
    if host in way_out.LOOPBACK:
        return lambda body: https.post_here(url, body=body, headers=_HEADERS).status
    if not url.startswith("https://"):
        raise CollectorRefused(
            "Traces go to a collector on this machine, or over https to a vendor on the register; "
            "HEADSHOTLY_OPTION_TRACES__COLLECTOR names neither."
        )

    def send(body: bytes) -> int:
        try:
            return https.request(
                "POST", url, body=body, headers=_HEADERS, carries=(categories.PSEUDONYMS,), routine=True
            ).status
        finally:
            connections.close_all()

    return send


@enforces("1.2.d", "3.2.a")
def cleaned(span: ReadableSpan) -> ReadableSpan:
    """Return a span with nothing in it but allowed names and numbers: no event, no link, no words of an error."""
    kept = {name: logs.permitted(name, value) for name, value in (span.attributes or {}).items()}
    return ReadableSpan(
        name=span.name if logs.is_name(span.name) else "unnamed",
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in kept.items() if value is not None},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


class GatedExporter(SpanExporter):
    """Hands batches to the collector; one it does not take is lost and counted, for no request ever waits for it."""

    def __init__(self, send: Send) -> None:
        """Take what hands a batch over."""
        self._send = send
        self._silent = False

    @enforces("1.2.d", "9.1.b")
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hand spans over, once; never raises."""
        body = encode_spans([cleaned(one) for one in spans]).SerializeToString()
        try:
            fine = self._send(body) in _FINE
        except (Refusal, DatabaseFailure, OSError) as error:
            fine = False
            if not self._silent:
                _logger.warning("traces.not-taken", exc_info=error)
        self._silent = not fine
        if not fine:
            metrics.SPANS_LOST.inc(len(spans))
        return SpanExportResult.SUCCESS if fine else SpanExportResult.FAILURE


def install() -> TracerProvider | None:
    """Begin to trace where a collector is named; called once in each process.

    Raises:
        CollectorRefused: traces may not go there, or the share is none.
    """
    options = configuration.current().options
    url, share = options.get("traces.collector", ""), options.get("traces.share", str(SHARE))
    if not url:
        return None
    if not share.isdecimal() or not 0 <= int(share) <= 1000:  # noqa: PLR2004 - per mille
        raise CollectorRefused("HEADSHOTLY_OPTION_TRACES__SHARE is a number from 0 to 1000.")
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(int(share) / 1000)),
        resource=Resource({"service.name": "headshotly", "service.instance": program()}),
        shutdown_on_exit=True,
    )
    exporter = GatedExporter(_sender(url))
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter, max_queue_size=QUEUE_MAX, max_export_batch_size=BATCH, schedule_delay_millis=BATCH_MS
        )
    )
    begin(provider)
    return provider


def begin(provider: TracerProvider) -> None:
    """Trace with a provider from now on, and let jobs carry their origin."""
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    tracing.begin(provider.get_tracer("headshotly"))
    task_enqueued.connect(_remember_origin, dispatch_uid="headshotly.frontdoor.tracing")


def end() -> None:
    """Trace no more."""
    tracing.end()
    task_enqueued.disconnect(dispatch_uid="headshotly.frontdoor.tracing")


def program() -> str:
    """Return which program of the service this process is."""
    return next((word for word in sys.argv[1:] if word in _PROGRAMS), "other")


def _query(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Make a query a span: what kind it is and where it goes, and neither its text nor its values."""
    word = sql.lstrip("( \n").partition(" ")[0].upper()
    operation = word.lower() if word in _OPERATIONS else "other"
    with tracing.span("database.query", operation=operation, source=context["connection"].alias):
        return execute(sql, params, many, context)


@contextmanager
def watched_databases() -> Iterator[None]:
    """Make every query of this thread a span, for the length of the block."""
    if not tracing.tracing():
        yield
        return
    with ExitStack() as stack:
        for alias in connections:
            stack.enter_context(connections[alias].execute_wrapper(_query))
        yield


def _remember_origin(task_result: Any, **_: Any) -> None:
    """Keep which trace a job belongs to, in the transaction that asks for it. Django's own hook; no room hears it."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    if "traceparent" in carrier:
        JobTrace.objects.update_or_create(
            task_id=UUID(str(task_result.id)), defaults={"parent": carrier["traceparent"]}
        )


@contextmanager
def working(job_id: UUID, task_path: str) -> Iterator[None]:
    """Put a job's ids in force, and make it a span of the trace that asked for it.

    Args:
        job_id: as the queue knows it.
        task_path: name of the task.
    """
    with correlation.correlated(job_id=str(job_id)):
        if not tracing.tracing():
            yield
            return
        known = JobTrace.objects.filter(task_id=job_id).values_list("parent", flat=True).first()
        parent = TraceContextTextMapPropagator().extract({"traceparent": known}) if known else None
        with tracing.span("job", parent=parent, task=task_path), watched_databases():
            yield
        JobTrace.objects.filter(task_id=job_id).delete()
