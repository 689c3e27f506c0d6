"""What the database's roles may do that they should not; the front door, which made them, hands in how to ask."""

from collections.abc import Callable, Mapping, Sequence

type Ask = Callable[[], Mapping[str, Sequence[str]]]
_asked: list[Ask] = []


def ask_with(ask: Ask) -> None:
    """Take what asks the database: role → what it may do too much, in plain words."""
    _asked[:] = [ask]


def shortcomings() -> Mapping[str, Sequence[str]]:
    """Return what each program's role may do that it should not; empty where nobody handed in how to ask."""
    return _asked[0]() if _asked else {}
