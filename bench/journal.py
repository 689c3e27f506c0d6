"""How fast the journal is, as ratios within one run: ``python -m bench.journal [--entries N] [--seconds S]``.

Appends are measured on a PostgreSQL of its own, beside the same insert into a plain table with nothing sequencing it.
"""

import argparse
import hashlib
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.scratch_postgres import ScratchPostgres

WRITERS = 8


def _prepare(url: str, folder: Path) -> None:
    os.environ |= {  # noqa: TID251 - the bench sets what the settings read
        "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
        "HEADSHOTLY_ENVIRONMENT": "test",
        "HEADSHOTLY_DATA": str(folder / "data"),
        "HEADSHOTLY_DATABASE_URL": url,
    }
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from headshotly.audit import keys

    call_command("migrate", "audit", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE plain (LIKE audit_pendingentry INCLUDING ALL)")
    keys.published_key()
    keys.outbox_tag(b"")
    connection.close()


def _without_a_tree(tally: int) -> None:
    """Point the outbox's model at a plain table: the same insert, and nothing sequences it."""
    from headshotly.audit.models import PendingEntry

    PendingEntry._meta.db_table = "plain"
    _record_until_told(tally)


def _record_until_told(tally: int) -> None:
    from django.db import transaction

    from headshotly.audit.actor import SYSTEM
    from headshotly.audit.acts import Act
    from headshotly.audit.services import record

    done = 0

    def stop(*_: object) -> None:
        os.write(tally, f"{done}\n".encode())
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    while True:
        with transaction.atomic():
            record(actor=SYSTEM, act=Act.OBJECT_SEALED, purpose="headshot-generation")
        done += 1


def _sequencer(_tally: int) -> None:
    from headshotly.audit.sequencing import BATCH, NICENESS, PAUSE, sequence_once

    os.nice(NICENESS)
    while True:
        if sequence_once() < BATCH:
            time.sleep(PAUSE)


def _commits_a_second(role: Callable[[int], None], seconds: float, *, sequenced: bool) -> float:
    """Run eight writers for some seconds, beside the sequencer or not; return their commits a second."""
    reading, writing = os.pipe()
    roles = [role] * WRITERS + ([_sequencer] if sequenced else [])
    children = []
    for each in roles:
        child = os.fork()
        if child == 0:
            try:
                each(writing)
            finally:
                os._exit(1)
        children.append(child)
    started = time.monotonic()
    time.sleep(seconds)
    for child in children:
        os.kill(child, signal.SIGTERM)
    took = time.monotonic() - started
    for child in children:
        os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as counts:
        return sum(map(int, counts.read().split())) / took


def measure_appends(seconds: float, rounds: int) -> dict[str, float]:
    """Return medians: plain and journalled commits a second, alternately measured, and their ratio."""
    plain, journalled, ratios = [], [], []
    for _ in range(rounds):
        plain.append(_commits_a_second(_without_a_tree, seconds, sequenced=False))
        journalled.append(_commits_a_second(_record_until_told, seconds, sequenced=True))
        ratios.append(journalled[-1] / plain[-1])
    return {
        "plain": statistics.median(plain),
        "journalled": statistics.median(journalled),
        "ratio": statistics.median(ratios),
    }


def measure_sequencing() -> tuple[float, int]:
    """Sequence what the writers left and return entries a second, and how many were left."""
    from headshotly.audit.models import PendingEntry
    from headshotly.audit.sequencing import sequence_once

    left = PendingEntry.objects.count()
    started, moved = time.monotonic(), 0
    while batch := sequence_once():
        moved += batch
    return moved / (time.monotonic() - started), left


def fill(entries: int) -> None:
    """Fill the journal with so many entries, by COPY: what is measured is reading them."""
    import uuid

    from django.db import connection

    from headshotly.audit import keys, merkle
    from headshotly.audit.actor import SYSTEM
    from headshotly.audit.acts import Act
    from headshotly.audit.checkpoint import Checkpoint, sign
    from headshotly.audit.leaf import Leaf
    from headshotly.audit.models import SignedHead
    from headshotly.policy import clock

    tree, subtrees, at = merkle.Frontier(), [], clock.now()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_entry, audit_subtree, audit_signedhead")
        with cursor.cursor.copy(
            "COPY audit_entry (index, entry_id, leaf, leaf_hash, sealed_details, act, occurred_at) FROM STDIN"
        ) as copy:
            for index in range(entries):
                entry_id = uuid.UUID(int=index)
                raw = Leaf(
                    entry_id=entry_id, occurred_at=at, actor=SYSTEM, act=Act.OBJECT_OPENED, purpose="bench"
                ).encode()
                hash_ = merkle.leaf_hash(raw)
                copy.write_row((index, entry_id, raw, hash_, b"", Act.OBJECT_OPENED.value, at))
                subtrees.extend(tree.add(hash_))
        with cursor.cursor.copy("COPY audit_subtree (level, position, hash) FROM STDIN") as copy:
            for (level, position), hash_ in subtrees:
                copy.write_row((level, position, hash_))
        cursor.execute("ANALYZE audit_entry, audit_subtree")
    note = sign(Checkpoint(keys.ORIGIN, tree.size, tree.root), keys.signing_key())
    SignedHead.objects.create(size=tree.size, note=note, signed_at=at)


def measure_proofs(entries: int) -> float:
    """Return the median seconds of one inclusion proof, fetched from the database."""
    import random

    from headshotly.audit import selectors

    times = []
    for index in random.Random(7).sample(range(entries), min(500, entries)):
        started = time.perf_counter()
        selectors.inclusion_proofs([index], entries)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def measure_verification(rounds: int) -> dict[str, float]:
    """Return median entries a second of: raw SHA-256 tree, an export's tree, an export file whole, the database."""
    from headshotly.audit import export, keys, selectors
    from headshotly.audit.replay import verify_leaves
    from headshotly.audit.verification import verify
    from headshotly.audit.witnesses import use

    use(_NoWitness)
    head = selectors.latest_checkpoint()
    assert head is not None
    leaves = list(selectors.leaves(head.size))
    with tempfile.NamedTemporaryFile("w", suffix=".journal") as file:
        export.write(file, note=str(selectors.latest_head()), verifier=keys.published_key(), leaves=iter(leaves))  # type: ignore[arg-type]
        file.flush()
        subjects: dict[str, Callable[[], object]] = {
            "raw": lambda: _raw_root(leaves),
            "tree": lambda: verify_leaves(leaves, [head]),
            "export": lambda: export.verify_file(Path(file.name), verifier=keys.published_key()),
            "database": verify,
        }
        found: dict[str, list[float]] = {name: [] for name in subjects}
        for _ in range(rounds):
            for name, subject in subjects.items():
                started = time.perf_counter()
                subject()
                found[name].append(head.size / (time.perf_counter() - started))
    return {name: statistics.median(values) for name, values in found.items()}


class _NoWitness:
    def keep(self, size: int, note: str) -> None: ...

    def notes(self) -> list[str]:
        return []


def _raw_root(leaves: list[bytes]) -> bytes:
    """The yardstick: hash level by level with nothing but hashlib and lists."""
    sha256 = hashlib.sha256
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        above = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--entries", type=int, default=1_000_000)
    options.add_argument("--seconds", type=float, default=4)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    with ScratchPostgres() as cluster, tempfile.TemporaryDirectory() as folder:
        _prepare(cluster.create("bench"), Path(folder))
        appends = measure_appends(chosen.seconds, chosen.rounds)
        sequenced, left = measure_sequencing()
        fill(chosen.entries)
        proof = measure_proofs(chosen.entries)
        verified = measure_verification(chosen.rounds)
        from django.db import connections

        connections.close_all()
    rows = [
        ("the same insert without a tree, 8 writers, commits/s", f"{appends['plain']:.0f}", ""),
        ("journal append, 8 writers, sequencer beside, commits/s", f"{appends['journalled']:.0f}", ""),
        ("ratio of appends", f"{appends['ratio']:.2f}", "≥ 0.80"),
        (f"sequencer alone, entries/s ({left} left by the writers)", f"{sequenced:.0f}", ""),
        (f"inclusion proof of one of {chosen.entries}, ms", f"{proof * 1000:.2f}", "< 1"),
        ("raw SHA-256 tree, entries/s", f"{verified['raw']:.0f}", ""),
        ("tree verified, entries/s", f"{verified['tree']:.0f}", ""),
        ("ratio of tree", f"{verified['tree'] / verified['raw']:.2f}", "≥ 0.50"),
        ("export verified (parsing every entry), entries/s", f"{verified['export']:.0f}", ""),
        ("database verified (rows, entries, stored tree), entries/s", f"{verified['database']:.0f}", ""),
    ]
    print(f"| measured ({os.cpu_count()} cores, Python {sys.version.split()[0]}) | median | target |\n|---|---|---|")
    for name, value, target in rows:
        print(f"| {name} | {value} | {target} |")


if __name__ == "__main__":
    main()
