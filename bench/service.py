"""The running service under load, beside the same pages as a bare Django project: ``python -m bench.service``.

Both sides run behind the same web server (gunicorn, two processes, TLS), with the same database settings and Argon2
parameters, at the same time; ``wrk`` asks one, then the other, in turns, and the tables show medians of the ratios.
The service runs whole: worker, sequencer, duties and detector share the cores with its web server. What the rival does
stands in ``bench/rival/views.py``; it keeps plain files and no journal.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import service_growth, service_load, service_sides, service_soak
from bench.service_load import Answered, Ask
from bench.service_sides import Side

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos" / "good"
TARGET = 0.7
_SLOW = 3  # times the seconds for what takes a tenth of a second of processor time or more
type Scene = Callable[[Side, Side], tuple[list[Ask], list[Ask]]]


def _photo(folder: Path) -> Path:
    return next(path for path in sorted(folder.iterdir()) if path.name.startswith("senate_"))


def scenes(photo: Path) -> dict[str, Scene]:
    """Return what is asked of both sides, by name."""
    return {
        "sign-in": lambda mine, theirs: (mine.sign_ins(), theirs.sign_ins()),
        "gallery page": lambda mine, theirs: (service_sides.galleries(mine), service_sides.galleries(theirs)),
        "picture in it": lambda mine, theirs: (
            mine.pictures("/studio/headshots/{}.jpg"),
            theirs.pictures("/pictures/{}.jpg"),
        ),
        "download": lambda mine, theirs: (
            mine.pictures("/studio/headshots/{}/download/"),
            theirs.pictures("/pictures/{}/download/"),
        ),
        "upload, the rival doing the same to the picture": lambda mine, theirs: (
            mine.uploads("/studio/upload/", photo),
            theirs.uploads("/upload/pictures/", photo),
        ),
        "upload, the rival writing the bytes as they came": lambda mine, theirs: (
            mine.uploads("/studio/upload/", photo),
            theirs.uploads("/upload/plain/", photo),
        ),
    }


def compare(mine: Side, theirs: Side, *, photo: Path, rounds: int, seconds: float, only: str) -> None:
    """Print each scene's rates and latencies, medians over rounds in turns."""
    print("| | ours, requests/s | rival's | **ratio** | ours, p50 / p99 ms | rival's | p99, of the rival's |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, scene in scenes(photo).items():
        if only not in name:
            continue
        asks = scene(mine, theirs)
        taken: tuple[list[Answered], list[Answered]] = ([], [])
        longer = seconds * (_SLOW if name.startswith(("sign-in", "upload")) else 1)
        for turn in range(rounds + 1):
            for place in (0, 1) if turn % 2 else (1, 0):
                side = (mine, theirs)[place]
                answered = service_load.load(side.base, asks[place], seconds=longer, folder=side.folder)
                if turn:
                    taken[place].append(answered)
        print(_line(name, *taken), flush=True)


def _line(name: str, own: list[Answered], other: list[Answered]) -> str:
    pairs = list(zip(own, other, strict=True))
    ratio = [one.rate / two.rate for one, two in pairs]
    slower = statistics.median(one.p99 / two.p99 for one, two in pairs)

    def middle(side: list[Answered], what: str) -> float:
        return statistics.median(getattr(one, what) for one in side)

    spread = f"{statistics.median(ratio):.2f} ({min(ratio):.2f} to {max(ratio):.2f})"
    mine = f"{middle(own, 'p50'):.1f} / {middle(own, 'p99'):.1f}"
    theirs = f"{middle(other, 'p50'):.1f} / {middle(other, 'p99'):.1f}"
    return (
        f"| {name} | {middle(own, 'rate'):.1f} | {middle(other, 'rate'):.1f} | **{spread}** | {mine} | {theirs} | "
        f"{slower:.1f} |"
    )


def soak(photo: Path, *, port: int, seconds: float, postgres: bool) -> None:
    """Run our side alone under light load."""
    with (
        tempfile.TemporaryDirectory(prefix="headshotly-bench-", ignore_cleanup_errors=True) as folder,
        service_sides.alone(Path(folder), port=port, photo=photo, postgres=postgres) as (side, root),
    ):
        service_soak.soak(side, root, photo=photo, seconds=seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--port", type=int, default=9461, help="of our side; the next three are used as well")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--postgres", action="store_true", help="on a scratch PostgreSQL instead of SQLite files")
    parser.add_argument("--only", default="", help="scenes whose name holds this")
    parser.add_argument("--soak", type=float, default=0, help="instead, light load for so many seconds")
    parser.add_argument("--growth", default="", help="instead, with so many photos: 10,10000,1000000")
    given = parser.parse_args()
    if given.growth:
        sizes = [int(one) for one in given.growth.split(",")]
        service_growth.growth(sizes, photo=_photo(given.photos), port=given.port, postgres=given.postgres)
        return
    if given.soak:
        soak(_photo(given.photos), port=given.port, seconds=given.soak, postgres=given.postgres)
        return
    if not service_load.available():
        raise SystemExit("wrk is missing (Debian: apt-get install wrk)")
    photo = _photo(given.photos)
    with (
        tempfile.TemporaryDirectory(prefix="headshotly-bench-", ignore_cleanup_errors=True) as folder,
        service_sides.both(Path(folder), port=given.port, photo=photo, postgres=given.postgres) as (mine, theirs),
    ):
        kind = "PostgreSQL" if given.postgres else "SQLite"
        print(
            f"\n### {kind}, {service_load.CONNECTIONS} connections, median of {given.rounds} rounds (target {TARGET})\n"
        )
        compare(mine, theirs, photo=photo, rounds=given.rounds, seconds=given.seconds, only=given.only)


if __name__ == "__main__":
    main()
