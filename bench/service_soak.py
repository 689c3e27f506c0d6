"""Half an hour under light load: does any process of the service grow? ``python -m bench.service --soak 1800``."""

import itertools
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from bench.service_load import CONNECTIONS, Ask, load
from bench.service_sides import Side, galleries

SAMPLE_SECONDS = 5.0
WARM_UP = 0.3  # of the time; caches fill and every kind of work is done once
GROWTH_MAX = 0.05  # of the resident memory, from the first fifth after the warm-up to the last fifth
_PAUSE = 0.4  # between requests: about as many as two visitors make
_ROLES = ("serve web", "serve redirect", "worker", "sequencer", "detector", "duties run --quick", "duties run --slow")
_PAGE = 4096
ZYGOTE = "decoders' zygote"
_CHUNK_SECONDS = 6.0


def descendants(root: int) -> list[int]:
    """Return a process and all under it."""
    parents: dict[int, list[int]] = defaultdict(list)
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(fields[1])].append(int(place.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        waiting += parents[process]
        found.append(process)
    return found


def processes(root: int) -> dict[int, str]:
    """Return the processes under one, by the last words of their command."""
    found = {}
    for process in descendants(root):
        try:
            words = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        role = next((role for role in _ROLES if f"frontdoor {role}" in words), "")
        if "zygote" in words:
            role = ZYGOTE
        if role:
            found[process] = role
    return found


def resident(process: int) -> float:
    """Return the resident memory of a process, in MiB; none where it ended."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE / 2**20
    except OSError:
        return 0.0


def _visits(side: Side, photo: Path) -> Iterator[list[Ask]]:
    """Yield what a few visitors do, one after the other: look, download, upload and delete, sign in, make headshots."""
    chance = random.Random(7)
    pictures, downloads = side.pictures("/studio/headshots/{}.jpg"), side.pictures("/studio/headshots/{}/download/")
    pages, sign_ins, uploads = galleries(side), side.sign_ins(), side.uploads("/studio/upload/", photo)
    starts = side.starts()
    for turn in itertools.count():
        looked = [chance.choice(pages), *chance.sample(pictures, 4), chance.choice(downloads)]
        if turn % 4 == 0:
            looked.append(sign_ins[turn // 4 % len(sign_ins)])
        yield looked
        if turn % 5 == 0:
            yield [uploads[turn // 5 % len(uploads)]]
        if turn % 30 == 0:
            yield [starts[turn // 30 % len(starts)]]


def soak(side: Side, root: int, *, photo: Path, seconds: float) -> None:
    """Visit the service for a while and print how much each process grew.

    Raises:
        SystemExit: a process grew more than ``GROWTH_MAX``, or an answer was an error.
    """
    began = time.monotonic()
    taken: dict[tuple[int, str], list[tuple[float, float]]] = defaultdict(list)
    next_look, asked = 0.0, 0
    for asks in _visits(side, photo):
        for ask in asks:
            status, _, body = side.call(ask)
            asked += 1
            if status >= 400:  # an upload beyond what one may keep is answered with 200 and a sentence
                raise SystemExit(f"{ask.path} was answered with {status}: {body[:200]!r}")
            passed = time.monotonic() - began
            if passed >= next_look:
                next_look = passed + SAMPLE_SECONDS
                for process, role in processes(root).items():
                    taken[process, role].append((passed, resident(process)))
            time.sleep(_PAUSE)
        if time.monotonic() - began > seconds:
            break
    print(f"\n### {seconds / 60:.0f} minutes, {asked} requests, resident memory of each process\n")
    print("| process | MiB after warm-up | MiB at the end | growth (at most 5 %) | slope, MiB an hour |")
    print("|---|---:|---:|---:|---:|")
    grew = [
        role for (_, role), points in sorted(taken.items(), key=lambda one: one[0][1]) if _grew(role, points, seconds)
    ]
    if grew:
        raise SystemExit(f"grew: {', '.join(grew)}")


def _grew(role: str, points: list[tuple[float, float]], seconds: float) -> bool:
    """Print one process's line and say whether it grew; one that came late is judged by what there is."""
    settled = [(at, size) for at, size in points if at >= WARM_UP * seconds and size]
    fifth = len(settled) // 5
    if fifth < 2:
        print(f"| {role} | (ran too briefly to judge) | | | |")
        return False
    first = statistics.median(size for _, size in settled[:fifth])
    last = statistics.median(size for _, size in settled[-fifth:])
    growth = last / first - 1
    print(f"| {role} | {first:.1f} | {last:.1f} | {growth:+.1%} | {_slope(settled) * 3600:+.1f} |")
    return growth > GROWTH_MAX


def _slope(points: list[tuple[float, float]]) -> float:
    """Return the median of the slopes between points far apart (Theil and Sen), in MiB a second."""
    far = len(points) // 2
    return statistics.median((b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(points, points[far:], strict=False))


def many(side: Side, root: int, *, photo: Path, requests: int) -> None:
    """Ask thousands of times over several connections and print how the web's processes grow by 1,000 requests.

    Every kind of request comes in turns: mostly pictures, some pages and downloads, few uploads and sign-ins.

    Args:
        side: ours.
        root: process that it was started as.
        photo: what is uploaded.
        requests: how many at least.
    """
    chance = random.Random(7)
    uploads, sign_ins = side.uploads("/studio/upload/", photo), side.sign_ins()
    asks = [*side.pictures("/studio/headshots/{}.jpg"), *side.pictures("/studio/headshots/{}/download/")]
    asks = [*asks, *galleries(side) * 4, *chance.sample(uploads, 6), *chance.sample(sign_ins, 2)]
    chance.shuffle(asks)
    load(side.base, asks, seconds=_CHUNK_SECONDS * 3, folder=side.folder)
    taken: dict[int, list[tuple[float, float]]] = defaultdict(list)
    asked = 0.0
    try:
        while asked < requests:
            asked += load(side.base, asks, seconds=_CHUNK_SECONDS, folder=side.folder).requests
            for process, role in processes(root).items():
                if role == "serve web":
                    taken[process].append((asked, resident(process)))
    finally:  # told also where somebody has waited long enough
        print(f"\n### {asked:.0f} requests over {CONNECTIONS} connections, resident memory of the web's processes\n")
        print("| process | MiB at first | half-way | at the end | MiB per 1,000, first half | second half |")
        print("|---|---:|---:|---:|---:|---:|")
        for place, points in enumerate(taken.values(), 1):
            print(_halves(f"web {place}", points))


def _halves(name: str, points: list[tuple[float, float]]) -> str:
    if len(points) < 3:
        return f"| {name} | (asked too little to judge) | | | | |"
    first, half, last = points[0], points[len(points) // 2], points[-1]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) * 1000 for a, b in ((first, half), (half, last))]
    sizes = " | ".join(f"{one[1]:.1f}" for one in (first, half, last))
    return f"| {name} | {sizes} | {slopes[0]:+.2f} | {slopes[1]:+.2f} |"
