"""A brute-force burst in one group, through the database: ``python -m bench.burst``.

Events are kept and detected as the stream does it, 500 in a transaction, on a scratch SQLite database, with one
correlation of “ten in fifteen minutes” over them. Each size begins anew; the time per event must stay the same.
"""

import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (10_000, 33_000, 100_000)
BATCH = 500
_RULES = """
title: A refused sign-in
id: 6f0d1f5c-0000-4000-8000-000000000001
name: refused
logsource: {product: bench}
detection:
  refused: {kind: refused}
  condition: refused
level: low
---
title: Ten refused sign-ins
id: 6f0d1f5c-0000-4000-8000-000000000002
correlation:
  type: event_count
  rules: [refused]
  group-by: [who]
  timespan: 15m
  condition: {gte: 10}
level: high
"""


def burst(folder: Path, count: int) -> float:
    """Return the milliseconds of processor time for each event of a burst of so many in one group."""
    from django.db import transaction

    from headshotly.incidents import rulebook
    from headshotly.incidents.detecting import Detector
    from headshotly.incidents.ingesting import keep
    from headshotly.incidents.models import Alert
    from headshotly.incidents.observation import Observation

    book = rulebook.load([folder])
    assert not book.refused, book.refused
    detector, source = Detector(book), rulebook.LogSource("", "bench", "")
    noon, who = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC), f"burst of {count}"
    began = time.process_time()
    for start in range(0, count, BATCH):
        rows = [
            Observation(
                source="bench",
                native_id=f"{who}-{number}",
                occurred_at=noon + dt.timedelta(milliseconds=number),
                log_source=source,
                fields={"kind": "refused", "who": who},
                ocsf={"class_uid": 0, "severity_id": 1},
                raw=b"{}",
                actor="",
            )
            for number in range(start, min(count, start + BATCH))
        ]
        with transaction.atomic():
            detector.consume(keep(rows))
    took = time.process_time() - began
    [alert] = Alert.objects.filter(group={"who": who})
    assert alert.hits == count, f"{alert.hits} of {count} hits in one alert"
    return took / count * 1000


def measure() -> None:
    """Print each size's time for an event, and how many times the first's it is."""
    import django

    django.setup()
    from django.core.management import call_command

    for alias in ("default", "journal", "keys"):
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rules.yml").write_text(_RULES)
        burst(Path(folder), 999)  # warms up
        taken = [burst(Path(folder), size) for size in SIZES]
    print("| hits in one group, through the database | ms each | times the first (1 is linear) |\n|---:|---:|---:|")
    for size, each in zip(SIZES, taken, strict=True):
        print(f"| {size:,} | {each:.3f} | {each / taken[0]:.2f} |")


def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        around = os.environ | {  # noqa: TID251 - handed on to the program as it is
            "HEADSHOTLY_DATA": f"{folder}/data",
            "HEADSHOTLY_MAIL": f"{folder}/mail",
            "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
        }
        subprocess.run([sys.executable, "-c", "from bench.burst import measure; measure()"], env=around, check=True)


if __name__ == "__main__":
    main()
