"""How log lines are written: one schema of named fields, and nothing in them that a person could have typed.

A line never quotes. What a record says in words, what an exception says, and what another library puts together are
left out, whatever they are: a line is an event's name, ids of our own making, numbers, and places in the code. So a
mistake in any room, or in a library, cannot write an address, a name or a token into a log.
"""

import datetime as dt
import json
import logging
import re
import sys
import sysconfig
import threading
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, cast
from uuid import UUID

from headshotly.orders.card_numbers import mask
from headshotly.policy import clock, correlation
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal

EVENT = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*){1,3}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,119}")
_REFERENCE = re.compile(r"[A-Z]{1,4}-?[0-9A-F]{1,12}(-[0-9A-F]{1,12}){0,3}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# What a record may add (``extra``), and of what form: names out of the code, references of our own making, numbers.
NAMES = frozenset(
    {"check", "code", "duty", "error", "measure", "operation", "program", "route", "rule", "source", "step", "task"}
)
REFERENCES = frozenset({"job", "reference"})
NUMBERS = frozenset({"attempt", "attempts", "count", "errno", "seconds", "status"})
FIELDS = NAMES | REFERENCES | NUMBERS | {"method"}
_FRAMES_MAX = 12
_CAUSES_MAX = 4
_PACKAGE = Path(__file__).resolve().parents[1]
_LIBRARIES = tuple(f"{sysconfig.get_path(name)}/" for name in ("purelib", "platlib", "stdlib"))
type Line = dict[str, Any]


def is_name(text: str) -> bool:
    """Say whether a text has the form of a name out of the code."""
    return bool(_NAME.fullmatch(text))


def permitted(name: str, value: object) -> str | int | float | None:
    """Return a value that may stand in a line or a span under a name, or None.

    Args:
        name: of the field; one that is none of ours has no values.
        value: anything.
    """
    if name not in FIELDS:
        return None
    if name in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float) or mask(str(value)) != str(value):
            return None
        return value
    text = str(value) if isinstance(value, str | UUID) else ""
    if name == "method":
        return text if text in _METHODS else None
    wanted = _NAME if name in NAMES else _REFERENCE
    return text if wanted.fullmatch(text) else None


def _place(filename: str, line: int, function: str) -> str:
    """Return a place in the code, without the machine's own folders."""
    for stem in (f"{_PACKAGE.parent}/", *_LIBRARIES):
        if filename.startswith(stem):
            return f"{filename.removeprefix(stem)}:{line} {function}"
    return f"{Path(filename).name}:{line} {function}"


def _frames(trace: TracebackType | None) -> list[str]:
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(_place(code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return found[-_FRAMES_MAX:]


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def told_of(error: BaseException) -> Line:
    """Return what may be said of an exception: its kind, its codes, what caused it, and where; never its words.

    A database quotes the row it refuses, a parser what it could not parse, and a file system names files.
    """
    told: Line = {"error": _kind(error)}
    if isinstance(error, Refusal):
        told["code"] = permitted("code", error.code) or "refused"
    causes: list[str] = []
    one: BaseException | None = error
    while one is not None and len(causes) < _CAUSES_MAX:
        state = getattr(one, "sqlstate", None)
        if isinstance(state, str) and re.fullmatch(r"[0-9A-Z]{5}", state):
            told["sqlstate"] = state
        if isinstance(one, OSError) and isinstance(one.errno, int):
            told["errno"] = one.errno
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        if one is not None:
            causes.append(_kind(one))
    if causes:
        told["causes"] = causes
    told["frames"] = _frames(error.__traceback__)
    return told


@enforces("3.2.a", "5.3.a")
def line_of(record: logging.LogRecord) -> Line:
    """Return what is written of a record: the fields of the schema, in their order.

    A record of ours is an event's name and allowed fields; of any other, and of one of ours that is more than that,
    only the logger and the place in the code are told, where its words can be looked up.
    """
    room = record.name.split(".")[1] if record.name.startswith("headshotly.") else "library"
    named = room != "library" and isinstance(record.msg, str) and not record.args and EVENT.fullmatch(record.msg)
    ids = correlation.current()
    line: Line = {
        "time": clock.now().astimezone(dt.UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname if record.levelno in _LEVELS else "INFO",
        "event": record.msg if named else "log.said",
        "room": room if _NAME.fullmatch(room) else "library",
        "code": "",
        "request_id": ids.request_id,
        "job_id": ids.job_id,
        "trace_id": ids.trace_id,
        "span_id": ids.span_id,
        "process": record.process or 0,
    }
    if not named:
        line["logger"] = record.name if _NAME.fullmatch(record.name) else "unnamed"
        line["place"] = _place(record.pathname, record.lineno, record.funcName or "")
    if record.name == "django.request":
        line["event"], line["status"] = "request.failed", permitted("status", getattr(record, "status_code", 0)) or 0
    for name in sorted(FIELDS & vars(record).keys()) if named else ():
        value = permitted(name, vars(record)[name])
        if value is None:
            line.setdefault("withheld", []).append(name)
        else:
            line[name] = value
    if record.exc_info and record.exc_info[1] is not None:
        line |= told_of(record.exc_info[1])
    return line


_LEVELS = frozenset({logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL})


@enforces("7.1.b", "5.3.a")
class StructuredLines(logging.Formatter):
    """Writes records as lines of the schema, without card numbers: the last step before a line leaves the process.

    In production and staging a line is JSON, locally it is for reading; what may stand in it is the same.
    """

    def __init__(self, *, readable: bool = False) -> None:
        """Take the form.

        Args:
            readable: for people, instead of JSON.
        """
        super().__init__()
        self._readable = readable

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = line_of(record)
        return mask(_read_out(line) if self._readable else json.dumps(line, separators=(",", ":")))


_QUIET = frozenset({"time", "level", "event", "room", "process", "frames", "request_id", "trace_id", "span_id"})


def _read_out(line: Line) -> str:
    head = f"{line['level']} {line['room']}: {line['event']}"
    rest = [f"{name}={value}" for name, value in line.items() if name not in _QUIET and value != ""]
    return "\n    ".join([" ".join([head, *rest]), *line.get("frames", ())])


class Terminal(logging.StreamHandler[Any]):
    """Writes lines to where errors go at that moment, and says of one it could not write no more than that."""

    def __init__(self) -> None:
        """Take nothing: where errors go is asked for with every line."""
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        """Return where errors go."""
        return sys.stderr

    @stream.setter
    def stream(self, _value: Any) -> None:
        raise AttributeError("where errors go is sys.stderr")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's signature
        """Say that a line was lost; the record itself may hold anything, so it is not shown."""
        try:
            self.stream.write('{"level":"ERROR","event":"log.line-lost","room":"frontdoor"}\n')
        except (OSError, ValueError):
            return  # nobody is there to be told


class _Tamed(logging.Logger):
    """A logger whose handlers write our lines, whoever adds them."""

    def addHandler(self, hdlr: logging.Handler) -> None:  # noqa: N802 - logging's name
        """Add a handler with our formatter; pyasn1, for one, brings its own when it is loaded."""
        hdlr.setFormatter(StructuredLines())
        super().addHandler(hdlr)


@enforces("5.3.a")
def tame_libraries() -> None:
    """Let every handler that a library brought, or brings later, write lines of the schema as well."""
    logging.setLoggerClass(_Tamed)
    for logger in list(logging.root.manager.loggerDict.values()):
        for handler in logger.handlers if isinstance(logger, logging.Logger) else ():
            if not isinstance(handler.formatter, StructuredLines):
                handler.setFormatter(StructuredLines())


@enforces("5.3.a")
def guard_process() -> None:
    """Let what nobody caught, in any thread, and what libraries warn of, come out as lines of the schema too.

    For the programs of the service; Python would otherwise print the exception with its words.
    """
    log = logging.getLogger("headshotly.frontdoor.process")

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            log.warning("process.interrupted")
            return
        log.critical("process.failed", exc_info=(kind, error, trace))

    def in_thread(found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None and not issubclass(found.exc_type, SystemExit):
            log.error("thread.failed", exc_info=(found.exc_type, found.exc_value, found.exc_traceback))

    def unraisable(found: Any) -> None:
        error = found.exc_value
        log.error("cleanup.failed", exc_info=(type(error), error, found.exc_traceback) if error else None)

    def warned(_words: Any, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any) -> None:
        place = _place(filename, lineno, "").strip()
        log.warning("library.warned", extra={"error": category.__name__, "code": re.sub(r"[^\w.:-]", "_", place)})

    sys.excepthook = uncaught
    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
    warnings.showwarning = cast("Any", warned)  # called with what it takes by place
