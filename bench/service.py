"""The running service under load, beside the same pages as plain Django projects: ``python -m bench.service``.

All sides run behind the same web server (gunicorn, two processes, TLS), with the same database settings and Argon2
parameters, at the same time; ``wrk`` asks one after the other, in turns, and the tables show medians of the ratios.
The service runs whole: worker, sequencer, duties and detector share the cores with its web server, and what they take
counts as ours. There are two rivals, both with plain files and no journal: the *bare* one is the least that shows
the pages (``bench/rival/views.py``), the *dressed* one has our templates, translations, headers and request log as
well (``bench/rival/dressed.py``), as any service with these pages would.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import service_growth, service_load, service_processor, service_sides, service_soak
from bench.service_load import Answered, Ask
from bench.service_sides import Side

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos" / "good"
TARGET = 0.7
_SLOW = 3  # times the seconds for what takes a tenth of a second of processor time or more
_WARM_SECONDS = 2.0
_SETTLE_SECONDS = 1.2  # after a load, for what it left to the sequencer and the detector
_SAME, _PLAIN = "upload, the rival doing the same to the picture", "upload, the rival writing the bytes as they came"


def _photo(folder: Path) -> Path:
    return next(path for path in sorted(folder.iterdir()) if path.name.startswith("senate_"))


def _asks(name: str, side: Side, photo: Path) -> list[Ask]:
    """Return what is asked of a side in a scene."""
    mine = side.cookies[0].startswith("__Host-")
    match name:
        case "sign-in":
            return side.sign_ins()
        case "gallery page":
            return service_sides.galleries(side)
        case "picture in it":
            return side.pictures("/studio/headshots/{}.jpg" if mine else "/pictures/{}.jpg")
        case "download":
            return side.pictures("/studio/headshots/{}/download/" if mine else "/pictures/{}/download/")
        case _:
            theirs = "/upload/pictures/" if name == _SAME else "/upload/plain/"
            return side.uploads("/studio/upload/" if mine else theirs, photo)


# The dressing makes no difference to an upload that takes a tenth of a second of processor time.
_SCENES = {"sign-in": 3, "gallery page": 3, "picture in it": 3, "download": 3, _SAME: 2, _PLAIN: 2}


@dataclass(frozen=True, slots=True)
class Taken:
    """One load on one side: how it was answered, and the processor milliseconds of each request by role."""

    answered: Answered
    processor: dict[str, float]

    @property
    def whole(self) -> float:
        """Return the processor time of one request in every process of the side, in milliseconds."""
        return sum(self.processor.values())


def _load(side: Side, asks: list[Ask], seconds: float) -> Taken:
    before = service_processor.spent(side.root)
    answered = service_load.load(side.base, asks, seconds=seconds, folder=side.folder)
    time.sleep(_SETTLE_SECONDS)
    after = service_processor.since(side.root, before)
    return Taken(answered, {role: spent / answered.requests for role, spent in after.items()})


def compare(sides: Sequence[Side], *, photo: Path, rounds: int, seconds: float, only: str) -> None:
    """Print each scene's rates and latencies, and its processor time, medians over rounds in turns.

    Args:
        sides: ours, the bare rival, the dressed one.
        photo: what is uploaded.
        rounds: how many are counted; one more, a short one, warms up.
        seconds: of each load.
        only: scenes whose name holds one of these, parted by semicolons.
    """
    print("| | ours, requests/s | bare | **of bare** | dressed | **of dressed** | ours, p50 / p99 ms | p99, of bare |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    lines: list[str] = []
    try:
        for name, count in _SCENES.items():
            if any(part in name for part in only.split(";")):
                taken = _play(name, sides[:count], photo=photo, rounds=rounds, seconds=seconds)
                print(_rates(name, *taken), flush=True)
                lines.append(_processor(name, *taken))
    finally:  # what was measured is told, also where a later scene fails or somebody has waited long enough
        print(
            "\n| processor ms a request | ours | of it web | detector | sequencer | bare | **of ours** "
            "| dressed | **of ours** |"
        )
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
        print("\n".join(lines), flush=True)


def _play(name: str, sides: Sequence[Side], *, photo: Path, rounds: int, seconds: float) -> list[list[Taken]]:
    """Return what each side took in each round of a scene; the first, a short one, is not counted."""
    asks = [_asks(name, side, photo) for side in sides]
    taken: list[list[Taken]] = [[] for _ in asks]
    longer = seconds * (_SLOW if name.startswith(("sign-in", "upload")) else 1)
    warming = min(longer, _WARM_SECONDS * longer / seconds)
    for turn in range(rounds + 1):
        for place in [(turn + step) % len(sides) for step in range(len(sides))]:
            one = _load(sides[place], asks[place], longer if turn else warming)
            if turn:
                taken[place].append(one)
    return taken


def _middle(taken: Sequence[Taken], what: Callable[[Taken], float]) -> float:
    return statistics.median(map(what, taken))


def _ratio(pairs: Iterable[tuple[float, float]]) -> str:
    """Return the median of ratios with their spread."""
    found = [one / other for one, other in pairs]
    return f"**{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})**"


def _rates(name: str, own: list[Taken], bare: list[Taken], dressed: Sequence[Taken] = ()) -> str:
    def against(other: Sequence[Taken]) -> str:
        if not other:
            return " | "
        ratio = _ratio((one.answered.rate, two.answered.rate) for one, two in zip(own, other, strict=True))
        return f"{_middle(other, lambda one: one.answered.rate):.1f} | {ratio}"

    slower = statistics.median(one.answered.p99 / two.answered.p99 for one, two in zip(own, bare, strict=True))
    mine = f"{_middle(own, lambda one: one.answered.p50):.1f} / {_middle(own, lambda one: one.answered.p99):.0f}"
    rate = _middle(own, lambda one: one.answered.rate)
    return f"| {name} | {rate:.1f} | {against(bare)} | {against(dressed)} | {mine} | {slower:.1f} |"


def _processor(name: str, own: list[Taken], bare: list[Taken], dressed: Sequence[Taken] = ()) -> str:
    def against(other: Sequence[Taken]) -> str:
        if not other:
            return " | "
        ratio = _ratio((two.whole, one.whole) for one, two in zip(own, other, strict=True))
        return f"{_middle(other, lambda one: one.whole):.2f} | {ratio}"

    def of(role: str) -> str:
        return f"{_middle(own, lambda one: one.processor.get(role, 0.0)):.2f}"

    whole = f"{_middle(own, lambda one: one.whole):.2f}"
    parts = " | ".join(map(of, (service_processor.WEB, "detector", "sequencer")))
    return f"| {name} | {whole} | {parts} | {against(bare)} | {against(dressed)} |"


def soak(photo: Path, *, port: int, seconds: float, many: int, postgres: bool) -> None:
    """Run our side alone, for a while under light load or for so many requests as fast as they are answered."""
    with (
        tempfile.TemporaryDirectory(prefix="headshotly-bench-", ignore_cleanup_errors=True) as folder,
        service_sides.alone(Path(folder), port=port, photo=photo, postgres=postgres) as (side, root),
    ):
        if many:
            service_soak.many(side, root, photo=photo, requests=many)
        else:
            service_soak.soak(side, root, photo=photo, seconds=seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--port", type=int, default=9461, help="of our side; the next four are used as well")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--postgres", action="store_true", help="on a scratch PostgreSQL instead of SQLite files")
    parser.add_argument("--only", default="", help="scenes whose name holds this, or one of these: picture;download")
    parser.add_argument("--soak", type=float, default=0, help="instead, light load for so many seconds")
    parser.add_argument("--many", type=int, default=0, help="instead, how memory grows over so many requests")
    parser.add_argument("--growth", default="", help="instead, with so many photos: 10,10000,1000000")
    given = parser.parse_args()
    if given.growth:
        sizes = [int(one) for one in given.growth.split(",")]
        service_growth.growth(sizes, photo=_photo(given.photos), port=given.port, postgres=given.postgres)
        return
    if not (given.soak or service_load.available()):
        raise SystemExit("wrk is missing (Debian: apt-get install wrk)")
    if given.soak or given.many:
        photo = _photo(given.photos)
        soak(photo, port=given.port, seconds=given.soak, many=given.many, postgres=given.postgres)
        return
    photo = _photo(given.photos)
    with (
        tempfile.TemporaryDirectory(prefix="headshotly-bench-", ignore_cleanup_errors=True) as folder,
        service_sides.both(Path(folder), port=given.port, photo=photo, postgres=given.postgres) as sides,
    ):
        kind = "PostgreSQL" if given.postgres else "SQLite"
        print(
            f"\n### {kind}, {service_load.CONNECTIONS} connections, median of {given.rounds} rounds (target {TARGET})\n"
        )
        compare(sides, photo=photo, rounds=given.rounds, seconds=given.seconds, only=given.only)


if __name__ == "__main__":
    main()
