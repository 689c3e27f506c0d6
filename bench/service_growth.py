"""Does a page stay as fast when the tables grow? ``python -m bench.service --growth 10,10000,1000000``.

One process of ours asked directly, without a web server, on a scratch database: the tables are filled with made-up rows
of other customers up to each number of photos, and the same few real customers are asked for again. A last round gives
one customer ten thousand photos, shoots and journal entries of their own.
"""

# ruff: noqa: S608 - statements are made of numbers and names of our own

import datetime as dt
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench import service_people, service_sides

_EACH = 10  # photos of one made-up customer
_ROUNDS = 41
_OWN = 10_000
_EVENTS = 100
_BEFORE = 1000  # places in the journal for what really happened
_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def fill(have: int, want: int, *, subject: UUID | None = None) -> None:
    """Add photos, their shoots, headshots, sealed objects and journal entries; of many customers, or of one.

    The database makes the rows itself; ids are counted, so that the tables fit together.
    """
    from django.db import connection

    postgres = connection.vendor == "postgresql"

    def made(prefix: str, number: str = "n") -> str:
        if postgres:
            return f"('{prefix}' || lpad(to_hex({number}), 31, '0'))::uuid"
        return f"printf('{prefix}%031x', {number})"

    moment = (
        "timestamptz '2026-01-01' + n * interval '1 second'" if postgres else "datetime(1767225600 + n, 'unixepoch')"
    )
    whose = made("a", f"n / {_EACH}")
    if subject is not None:
        whose = f"'{subject}'::uuid" if postgres else f"'{subject.hex}'"

    def counted(first: int, last: int) -> str:
        if postgres:
            return f"WITH numbers(n) AS (SELECT n FROM generate_series({first}, {last}) AS n)"
        return f"WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"

    def bytes_of(number: str) -> str:
        return (
            f"decode(lpad(to_hex({number}), 64, '0'), 'hex')"
            if postgres
            else f"CAST(printf('%032x', {number}) AS BLOB)"
        )

    opened = "SELECT leaf, leaf_hash, sealed_details FROM audit_entry WHERE act = 'vault.object.opened' LIMIT 1"
    numbers = f"{counted(have, want - 1)}, opened AS ({opened})"
    nothing, empty = ("'[]'::jsonb", "'{}'::jsonb") if postgres else ("'[]'", "'{}'")
    yes = "false" if postgres else "0"
    rows = {
        "studio_photo (id, subject, object_id, preview_id, sentence, advice, score, crop, received_at)": (
            f"{made('b')}, {whose}, {made('c')}, {made('d')}, 'Good.', '', 1, {nothing}, {moment}"
        ),
        "studio_shoot (id, subject, state, photo_ids, style_ids, brand_colour, steps_done, steps_total, step, "
        "sentence, created_at, started_at, finished_at)": (
            f"{made('e')}, {whose}, 'done', {nothing}, {nothing}, '', 1, 1, '', '', {moment}, {moment}, {moment}"
        ),
        "studio_headshot (id, subject, shoot_id, photo_id, style_id, object_id, preview_id, favourite, notes, "
        "made_at)": (
            f"{made('f')}, {whose}, {made('e')}, {made('b')}, 'office', {made('1')}, {made('2')}, {yes}, {nothing}, "
            f"{moment}"
        ),
        **{
            f"vault_storedobject (id, subject, kind, purpose, sealed_bytes, sealed_at) -- {prefix}\n": (
                f"{made(prefix)}, {whose}, 'preview', 'x', 1, {moment}"
            )
            for prefix in "cd12"
        },
        'audit_entry ("index", entry_id, leaf, leaf_hash, sealed_details, subject, act, occurred_at)': (
            f"n + {_BEFORE}, {made('3')}, (SELECT leaf FROM opened), (SELECT leaf_hash FROM opened), "
            f"(SELECT sealed_details FROM opened), {whose}, 'vault.object.opened', {moment}"
        ),
        "incidents_event (identity, source, class_uid, severity, occurred_at, received_at, act, outcome, actor, "
        "address, subject, ocsf, raw, keep_until)": (
            f"{bytes_of('n')}, 'web', 4002, 1, {moment}, {moment}, '', '', '', '', {whose}, {empty}, "
            f"{bytes_of('0')}, {moment}"
        ),
    }
    with connection.cursor() as cursor:
        for table, values in rows.items():
            cursor.execute(f"INSERT INTO {table} {numbers} SELECT {values} FROM numbers")
        for level in range((want + _BEFORE).bit_length()):
            # The journal's tree, as far as it goes; where real entries have a node, theirs stays.
            first, last = (have + _BEFORE if have else 0) >> level, ((want + _BEFORE) >> level) - 1
            if first <= last:
                cursor.execute(
                    f"INSERT INTO audit_subtree (level, position, hash) {counted(first, last)} "
                    f"SELECT {level}, n, {bytes_of('n')} FROM numbers WHERE true ON CONFLICT DO NOTHING"
                )
        cursor.execute("ANALYZE")


class Scene:
    """What is asked for at each size."""

    def __init__(self, folder: Path) -> None:
        """Read who the real customers are."""
        from django.core.wsgi import get_wsgi_application
        from django.test import RequestFactory

        self._application, self._requests = get_wsgi_application(), RequestFactory()
        from headshotly.incidents import setting_up
        from headshotly.incidents.detecting import Detector

        self._detector = Detector(setting_up.book())
        self.people = [one for one in json.loads((folder / "people.json").read_text())["people"] if "shoot" in one]

    def get(self, person: dict[str, Any], path: str) -> None:
        """Ask for a page through the whole application, once."""
        around = self._requests.get(
            path, secure=True, HTTP_HOST="localhost", HTTP_COOKIE=f"__Host-session={person['session']}"
        ).META
        status: list[str] = []
        answer = self._application(around, lambda said, _headers: status.append(said))
        for _ in answer:
            pass
        answer.close()
        assert status == ["200 OK"], f"{path}: {status}"

    def acts(self) -> dict[str, Callable[[], object]]:
        """Return what is measured, by name."""
        from headshotly.audit import sequencing
        from headshotly.rights import retention
        from headshotly.studio import selectors
        from headshotly.vault import selectors as vault

        first = self.people[0]
        known = [self._photo() for _ in range(8)]
        return {
            "gallery page": lambda: self.get(first, f"/studio/shoots/{first['shoot']}/"),
            "studio, all photos and shoots": lambda: self.get(first, "/studio/"),
            "one picture": lambda: self.get(first, f"/studio/headshots/{first['headshots'][0]}.jpg"),
            "who opened my photos": lambda: self.get(first, "/opened/"),
            "what an object shows (breach scope)": lambda: selectors.kinds_of(known),
            "retention's look for what is due": lambda: list(
                selectors.photos_received_before(_START - dt.timedelta(days=1)).values_list("id", flat=True)
            ),
            "newest photos of anybody (a check)": lambda: list(
                selectors.photos_received_before(retention.clock.now()).order_by("-received_at")[:100]
            ),
            "one step of the sweep (400 pictures)": lambda: selectors.unnamed_among(
                list(itertools.islice(vault.object_ids(kinds=("preview",), sealed_before=retention.clock.now()), 400))
            ),
            "newest 2,000 sealed objects (a check)": lambda: vault.newest_objects(2000),
            "kinds of sealed objects (a check)": vault.kinds_kept,
            "deleting one photo": self._delete,
            "the sequencer's look at its tree": lambda: sequencing.frontier(sequencing.size()),
            "a hundred events kept and judged": self._keep,
        }

    def _keep(self) -> float:
        """Keep events as the detector does and take them back; return how long keeping took."""
        from django.db import transaction

        from headshotly.incidents.ingesting import keep

        made = [_event() for _ in range(_EVENTS)]
        with transaction.atomic():
            began = time.process_time()
            self._detector.consume(keep(made))
            passed = time.process_time() - began
            transaction.set_rollback(True)
        self._detector.forget()
        return passed

    def _photo(self) -> UUID:
        from headshotly.audit.actor import Actor
        from headshotly.policy import clock
        from headshotly.studio.models import Photo
        from headshotly.vault import services as vault

        subject = Photo.objects.get(id=self.people[1]["photo"]).subject
        sealed = [
            vault.seal(
                actor=Actor(kind="customer", id=subject), subject=subject, kind=kind, purpose="x", plaintext=b"x" * 999
            )
            for kind in ("photo", "preview")
        ]
        photo = Photo.objects.create(
            subject=subject, object_id=sealed[0], preview_id=sealed[1], sentence="", score=1, received_at=clock.now()
        )
        return photo.id

    def _delete(self) -> float:
        """Delete a photo made for it, and return how long that alone took."""
        from headshotly.audit.actor import Actor
        from headshotly.studio import services
        from headshotly.studio.models import Photo

        photo = Photo.objects.get(id=self._photo())
        began = time.process_time()
        services.delete_photo(actor=Actor(kind="customer", id=photo.subject), subject=photo.subject, photo_id=photo.id)
        return time.process_time() - began


def _event() -> Any:
    """Return what an answered request leaves for the detector."""
    from headshotly.incidents.sources import web
    from headshotly.policy import clock

    line = {
        "id": uuid4().hex,
        "at": clock.now().isoformat(),
        "method": "GET",
        "path": "/studio/",
        "query": "",
        "status": 200,
        "route": "studio:home",
        "address": "a pseudonym",
        "agent": "bench",
    }
    return web.observe(line, json.dumps(line).encode())


def _median_ms(act: Callable[[], object]) -> float:
    taken = []
    for turn in range(_ROUNDS + 3):
        began = time.process_time()
        own = act()
        passed = own if isinstance(own, float) else time.process_time() - began
        if turn >= 3:
            taken.append(passed * 1000)
    return statistics.median(taken)


def table(sizes: list[int]) -> None:
    import django

    django.setup()
    from headshotly.audit.sequencing import sequence_once
    from headshotly.studio.models import Photo

    scene = Scene(Path(os.environ["BENCH_FOLDER"]))  # noqa: TID251 - handed over by the process that started this
    acts, columns, have = scene.acts(), [], 0
    acts["one picture"]()  # an opening, to fill the journal with its like
    while sequence_once():
        pass
    for size in sizes:
        fill(have, size)
        have = size
        columns.append({name: _median_ms(act) for name, act in acts.items()})
    subject = Photo.objects.get(id=scene.people[0]["photo"]).subject
    fill(have, have + _OWN, subject=subject)
    columns.append({name: _median_ms(act) for name, act in acts.items()})
    kind = "processor time of ours alone"
    print(f"\n### Milliseconds, {kind}, by photos in the table, median of {_ROUNDS} (flat: at most twice the first)\n")
    print(
        f"| | {' | '.join(f'{size:,}' for size in sizes)} | times the first | {_OWN:,} of their own | times the first |"
    )
    print("|---|" + "---:|" * (len(sizes) + 3))
    for name in acts:
        row = [column[name] for column in columns]
        cells = " | ".join(f"{one:.2f}" for one in row[:-1])
        print(f"| {name} | {cells} | {row[-2] / row[0]:.1f} | {row[-1]:.2f} | {row[-1] / row[0]:.1f} |")


def growth(sizes: list[int], *, photo: Path, port: int, postgres: bool) -> None:
    """Print how long things take at each size."""
    with (
        tempfile.TemporaryDirectory(prefix="headshotly-bench-") as folder,
        service_sides.databases(postgres=postgres) as (database, _),
    ):
        around = service_sides.environment(Path(folder), port=port, database=database)
        given = {"customers": 3, "shoots": 3, "headshots": 8, "photo": str(photo), "folder": folder}
        service_sides.seed(service_people.__name__, given, around)
        act = f"from bench.service_growth import table; table({sizes!r})"
        subprocess.run([sys.executable, "-c", act], env=around | {"BENCH_FOLDER": folder}, check=True)
