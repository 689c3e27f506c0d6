"""Photos a minute with one and two workers: ``python -m bench.workers [--photos DIR] [--rounds N]``.

The whole way of a photo that was uploaded: order, queue, lease, warrant, journal, key, engine, signature, sealing. The
limit is the engine alone on the same photos, in as many warm processes and in turns; the tables show medians.
"""

import argparse
import concurrent.futures
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from bench import service_people, service_sides

STYLE, PATIENCE = "studio-grey", 600.0


def photos_in(folder: Path, most: int) -> list[Path]:
    """Return the photos of one person each."""
    return [path for path in sorted(folder.iterdir()) if path.name.startswith("senate_")][:most]


def uploaded(photos: list[bytes]) -> list[tuple[Any, UUID, Any]]:
    """Let a new customer for each photo upload it; return who, and which photo."""
    from headshotly.audit.actor import Actor
    from headshotly.studio import services

    there = []
    for data in photos:
        _, subject = service_people.customer(f"worker{time.monotonic_ns()}", "unusable")
        actor = Actor(kind="customer", id=subject)
        photo = services.receive_photo(actor=actor, subject=subject, data=data).photo
        there.append((actor, subject, photo))
    return there


def order(there: list[tuple[Any, UUID, Any]]) -> list[UUID]:
    """Order a headshot of each photo; return the shoots."""
    from headshotly.studio import services

    return [
        services.start_shoot(actor=actor, subject=subject, photo_ids=[photo.id], style_ids=[STYLE]).id
        for actor, subject, photo in there
    ]


def wait_for(shoots: list[UUID]) -> None:
    """Wait until all are made."""
    from headshotly.studio.models import Shoot, ShootState

    until = time.monotonic() + PATIENCE
    while Shoot.objects.filter(id__in=shoots, state=ShootState.DONE).count() < len(shoots):
        if time.monotonic() > until or Shoot.objects.filter(id__in=shoots, state=ShootState.FAILED).exists():
            raise SystemExit("Not every shoot was made.")
        time.sleep(0.05)


@contextmanager
def workers(count: int) -> Iterator[None]:
    """Run so many workers, as production starts them."""
    command = [sys.executable, "-m", "headshotly.frontdoor", "worker"]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)


def scene(paths: list[str], count: int) -> float:
    """Return the seconds from ordering to the last headshot, with warm workers; in a process of its own."""
    import django

    django.setup()
    from django.core.management import call_command

    for alias in ("default", "journal", "keys"):
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    photos = [Path(path).read_bytes() for path in paths]
    with workers(count):
        wait_for(order(uploaded(photos[:1] * 3 * count)))  # enough that each has loaded its models
        shoots = uploaded(photos)
        begin = time.perf_counter()
        wait_for(order(shoots))
        return time.perf_counter() - begin


def through_the_service(paths: list[Path], count: int) -> float:
    """Return photos a minute through everything."""
    with tempfile.TemporaryDirectory() as place:
        around = service_sides.environment(Path(place), port=9499)
        given = json.dumps({"paths": [str(path) for path in paths], "count": count})
        said = subprocess.run(
            [sys.executable, "-m", "bench.workers", "--scene", given], env=around, check=True, capture_output=True,
            text=True,
        ).stdout  # fmt: skip
    return 60 * len(paths) / float(said.split()[-1])


def engine_alone(pool: concurrent.futures.ProcessPoolExecutor, photos: list[bytes]) -> float:
    """Return photos a minute of the engine in warm processes."""
    from bench.studio import one_whole

    begin = time.perf_counter()
    list(pool.map(one_whole, photos))
    return 60 * len(photos) / (time.perf_counter() - begin)


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path("../shared/photos/good"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=12, help="most photos")
    parser.add_argument("--scene", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.scene:
        asked = json.loads(given.scene)
        print(scene(asked["paths"], asked["count"]))
        return
    paths = photos_in(given.photos.resolve(), given.limit)
    photos = [path.read_bytes() for path in paths]
    whole: dict[int, list[float]] = {1: [], 2: []}
    alone: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(given.rounds):
        for count in (1, 2):
            whole[count].append(through_the_service(paths, count))
            with concurrent.futures.ProcessPoolExecutor(count) as pool:
                engine_alone(pool, photos[: 2 * count])
                alone[count].append(engine_alone(pool, photos))
    print(f"\n{len(paths)} photos, one style, {os.cpu_count()} cores, median of {given.rounds} rounds\n")
    print("| workers | photos a minute | engine alone, as many processes | of it |\n|---:|---:|---:|---:|")
    for count, rates in whole.items():
        ours, limit = statistics.median(rates), statistics.median(alone[count])
        print(f"| {count} | {ours:.1f} | {limit:.1f} | {ours / limit:.2f} |")


if __name__ == "__main__":
    main()
