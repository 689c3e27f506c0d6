"""Our end of the painter's process: starts it, asks, and believes nothing it says before looking at it."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Timer
from typing import Any

import numpy as np

from headshotly.studio import painting
from headshotly.studio.errors import PainterFailed
from headshotly.studio.faces import Picture

_FAILED = "The generative model stopped while it was painting. Please try again."
LOAD_SECONDS, PAINT_SECONDS = 1800, 600  # the second for each candidate


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be painted.

    Attributes:
        prompt: what it shall be, from ``prompting``.
        negative: what it shall not be.
        size: width and height in pixels, multiples of 16.
        seeds: one for each candidate; the same seed paints the same.
    """

    prompt: str
    negative: str
    size: tuple[int, int]
    seeds: tuple[int, ...]


class Painter:
    """A process with a model in it, started with the first order and again after it died."""

    def __init__(self, command: Sequence[str], folder: Path, *, device: str, precision: str) -> None:
        """Take the program that runs ``painting`` (a Python with torch in it), and the weights' folder."""
        self._command = [*command, str(folder), device, precision]
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()
        self.model = ""

    def paint(self, order: Order, selfies: Sequence[Picture]) -> list[Picture]:
        """Return one picture for each seed.

        Args:
            order: what is to be painted.
            selfies: one to three, (height, width, 3) uint8.

        Raises:
            PainterFailed: the weights were refused, or the process died, hung, or answered nonsense.
        """
        head = {
            "prompt": order.prompt, "negative": order.negative, "width": order.size[0], "height": order.size[1],
            "seeds": list(order.seeds), "sizes": [one.shape[1::-1] for one in selfies],
        }  # fmt: skip
        with self._lock:
            self._ensure()
            answer, painted = self._exchange(head, [np.ascontiguousarray(one).tobytes() for one in selfies])
            sizes = answer.get("sizes", [])
            if len(sizes) != len(order.seeds):
                self._stop()
                raise PainterFailed(_FAILED)
        return [
            np.frombuffer(data, np.uint8).reshape(height, width, 3)
            for (width, height), data in zip(sizes, painted, strict=True)
        ]

    def _ensure(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._stop()
        environment = painting.OFFLINE | {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.defpath}
        self._process = subprocess.Popen(  # noqa: S603 - the operator's own Python and our module
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
        )
        answer, _ = self._within(LOAD_SECONDS)
        if "refused" in answer or not isinstance(answer.get("model"), str):
            self._stop()
            raise PainterFailed(f"The generative model may not be loaded: {answer.get('refused', 'it says nothing.')}")
        self.model = answer["model"]

    def _exchange(self, head: dict[str, Any], pictures: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
        process = self._process
        try:
            if process is None or process.stdin is None:
                raise EOFError  # noqa: TRY301 - all ways to lose it end alike
            painting.write(process.stdin, head, pictures)  # type: ignore[arg-type]  # a pipe
        except (OSError, EOFError) as error:
            self._stop()
            raise PainterFailed(_FAILED) from error
        return self._within(PAINT_SECONDS * len(head["seeds"]))

    def _within(self, seconds: float) -> tuple[dict[str, Any], list[bytes]]:
        """Return the next answer; a process that takes longer is ended, which ends the reading."""
        process = self._process
        if process is None or process.stdout is None:
            raise PainterFailed(_FAILED)
        timer = Timer(seconds, process.kill)
        timer.start()
        try:
            return painting.read(process.stdout)  # type: ignore[arg-type]  # a pipe
        except (OSError, EOFError) as error:
            self._stop()
            raise PainterFailed(_FAILED) from error
        finally:
            timer.cancel()

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None

    def close(self) -> None:
        """End the process; the next order starts a new one."""
        with self._lock:
            self._stop()
