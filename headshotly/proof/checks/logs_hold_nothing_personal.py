"""What is logged quotes nobody (clauses 3.2.a, 5.3.a)."""

import io
import logging
import os
from collections.abc import Iterator

from headshotly.proof import canary
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_WORD = "log.canary-{}@example.invalid"


def _handlers() -> Iterator[tuple[str, logging.Handler]]:
    """Yield every handler of this process that writes out of it, with its logger's name."""
    known = logging.root.manager.loggerDict.values()
    loggers = [logging.root, *(one for one in known if isinstance(one, logging.Logger))]
    for logger in loggers:
        for handler in logger.handlers:
            if _leaves(handler):
                yield logger.name, handler
    if not logging.root.handlers and logging.lastResort is not None:
        yield "the last resort", logging.lastResort


def _leaves(handler: logging.Handler) -> bool:
    """Say whether a handler's lines leave the process; one that only keeps them in memory does not count."""
    if isinstance(handler, logging.NullHandler):
        return False
    if isinstance(handler, logging.FileHandler):
        return handler.baseFilename != os.devnull
    return not (isinstance(handler, logging.StreamHandler) and isinstance(handler.stream, io.StringIO))


def _records(word: str) -> Iterator[tuple[str, logging.LogRecord]]:
    """Yield what a careless program could log of a person, in every way a record carries words."""
    for name in ("headshotly.accounts.views", "django.request", "a.library"):
        made = logging.LogRecord(name, logging.ERROR, __file__, 1, f"mail to {word}", None, None)
        yield f"the words of {name}", made
        yield f"the values of {name}", logging.LogRecord(name, logging.ERROR, __file__, 1, "to %s", (word,), None)
        error = ValueError(word)
        error.__cause__ = KeyError(word)
        caught = (type(error), error, None)
        yield f"an exception of {name}", logging.LogRecord(name, logging.ERROR, __file__, 1, "it.broke", None, caught)
        named = logging.LogRecord(name, logging.ERROR, __file__, 1, "it.broke", None, None)
        vars(named).update(dict.fromkeys(("code", "reference", "route", "error", "email", "request", "status"), word))
        named.stack_info = word
        yield f"the fields of {name}", named


@check(
    id="logs_hold_nothing_personal",
    clauses=("3.2.a", "5.3.a"),
    title="Logs quote nobody",
    words="We hand a made-up address to every way out that this program's log has, as a careless message, as the words "
    "of an error, and as a field of its own, and read what would have been written. The address must be nowhere in it.",
    assurance=Assurance.ENFORCED,
)
def look(_scene: Scene) -> Finding:
    """Write with every handler, into nothing, and read."""
    wanted = canary.spellings(word := _WORD.format(os.urandom(8).hex()))
    bad, tried = [], 0
    for name, handler in _handlers():
        for what, record in _records(word):
            tried += 1
            if wanted.search(handler.format(record).encode()):
                bad.append(f"the log of {name} writes down {what}")
    if bad:
        return broken(f"Logged in words: {shorten(bad)}.", ids=bad, population=tried)
    return held(f"A made-up address was logged in {tried} ways, and none wrote it down.", population=tried)
