"""Spans (OpenTelemetry), for every room: nothing happens and nothing is loaded until the front door begins to trace.

A span says what was done, how long it took and how it ended: names out of the code and numbers, never a person's data
and never an exception's words. What may stand in one is decided once more where spans leave (``frontdoor.tracing``).
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from headshotly.policy.correlation import correlated

_tracer: list[Any] = []


def begin(tracer: Any) -> None:
    """Trace from now on.

    Args:
        tracer: of ``opentelemetry-api``.
    """
    _tracer[:] = [tracer]


def end() -> None:
    """Trace no more."""
    _tracer.clear()


def tracing() -> bool:
    """Say whether this process traces."""
    return bool(_tracer)


@contextmanager
def span(name: str, *, parent: Any = None, **attributes: str | float) -> Iterator[Any]:
    """Make the block a span.

    Args:
        name: what is done, such as ``vault.open``.
        parent: context of OpenTelemetry that it goes on from; the present one where None.
        attributes: names out of the code, and numbers.

    Yields:
        OpenTelemetry's span, None where nothing is traced.
    """
    if not _tracer:
        yield None
        return
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - only where it is used

    starting = _tracer[0].start_as_current_span(
        name, context=parent, attributes=attributes, record_exception=False, set_status_on_exception=False
    )
    with starting as made:
        ids = made.get_span_context()
        with correlated(trace_id=f"{ids.trace_id:032x}", span_id=f"{ids.span_id:016x}"):
            try:
                yield made
            except BaseException as error:
                made.set_attribute("error", type(error).__name__)
                made.set_status(Status(StatusCode.ERROR))
                raise


def traced[**P, R](name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make every call of the decorated function a span.

    Args:
        name: what it does.
    """

    def mark(act: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(act)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            if not _tracer:
                return act(*args, **kwargs)
            with span(name):
                return act(*args, **kwargs)

        return timed

    return mark
