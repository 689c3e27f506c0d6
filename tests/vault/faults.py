"""Dependencies that fail: before they do what they were asked, or after, saying that they did not."""

from typing import Any


class Failing:
    """An engine one of whose verbs fails at a chosen call.

    Attributes:
        happened: whether the verb does its work before it reports failure.
    """

    def __init__(self, engine: Any, verb: str, error: BaseException, *, happened: bool, at: int = 1) -> None:
        self._engine, self._verb, self._error, self._happened = engine, verb, error, happened
        self._left = at

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._engine, name)
        if name != self._verb:
            return attribute

        def fail(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left:
                return attribute(*args, **kwargs)
            if self._happened:
                attribute(*args, **kwargs)
            raise self._error

        return fail


class Killed(BaseException):
    """The process dies here."""


class Mortal:
    """An engine under which the process dies at the n-th call that changes something, before or after it."""

    def __init__(self, engine: Any, verbs: set[str], life: "Life") -> None:
        self._engine, self._verbs, self._life = engine, verbs, life

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._engine, name)
        if name not in self._verbs:
            return attribute

        def live(*args: Any, **kwargs: Any) -> Any:
            self._life.step()
            result = attribute(*args, **kwargs)
            self._life.step()
            return result

        return live


class Life:
    """How many steps are left before the process dies; None for ever."""

    def __init__(self, steps: int | None) -> None:
        self.steps = steps
        self.taken = 0

    def step(self) -> None:
        self.taken += 1
        if self.steps is not None and self.taken > self.steps:
            raise Killed
