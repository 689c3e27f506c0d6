"""What a line of the log, a span and an event of the same request or job have in common: ids of our own making.

Nothing here comes from outside: an id that a visitor sends could be anything, so none is taken over.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Correlation:
    """Where in the work this thread is.

    Attributes:
        request_id: of the HTTP request, 32 hexadecimal digits; empty outside of one.
        job_id: of the job, as its queue knows it; empty outside of one.
        trace_id: of the trace (W3C Trace Context), 32 hexadecimal digits; empty where none is kept.
        span_id: of the span, 16 hexadecimal digits; empty where none is kept.
    """

    request_id: str = ""
    job_id: str = ""
    trace_id: str = ""
    span_id: str = ""


_NONE = Correlation()
_CURRENT: ContextVar[Correlation] = ContextVar("correlation", default=_NONE)


def current() -> Correlation:
    """Return the ids in force in this thread."""
    return _CURRENT.get()


@contextmanager
def correlated(**ids: str) -> Iterator[None]:
    """Put ids in force for the length of a block.

    Args:
        ids: those of ``Correlation`` that change.
    """
    token = _CURRENT.set(replace(_CURRENT.get(), **ids))
    try:
        yield
    finally:
        _CURRENT.reset(token)
