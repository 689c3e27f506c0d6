"""Who is told of each decision about what leaves the house, as it is made; the front door fills it in.

A watcher must neither raise nor wait: what it does with the news is its own affair, and the way out does not depend on
it. It is told before anything leaves, so a crash in between leaves news of something that did not go.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision.

    Attributes:
        host: name or address that was asked for.
        opened: the way out was opened.
        reason: why not, in a word: ``unknown`` (on no register), ``closed``, ``degraded``, ``beyond`` (kinds of data
            that were not agreed), ``past`` (something went past the gate); empty where it opened.
        vendor: its short name; empty where it is nobody's.
        carries: kinds of personal data.
        about: pseudonym of the data subject concerned.
    """

    host: str
    opened: bool
    reason: str = ""
    vendor: str = ""
    carries: tuple[str, ...] = ()
    about: UUID | None = None


type Watcher = Callable[[Decision], None]
_WATCHERS: list[Watcher] = []


def when_decided(watcher: Watcher) -> None:
    """Have somebody told of every decision; once, however often it is asked."""
    if watcher not in _WATCHERS:
        _WATCHERS.append(watcher)


def tell(decision: Decision) -> None:
    """Tell whoever wants to know."""
    for watcher in _WATCHERS:
        watcher(decision)
