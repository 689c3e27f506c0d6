"""How fast the vault is, as ratios within one run: ``python -m bench.vault [--small] [--folder DIR]``.

Everything is measured in rounds, each way once a round, so that what else the machine does touches all alike; the
table shows medians. Rivals that are not installed are named as not measured: ``requirements/bench.lock`` has them.
"""

import argparse
import datetime as dt
import gc
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import vault_rivals
from bench.vault_rivals import NotInstalled, Way
from headshotly.vault.warrant import Warrant

MB, GB = 1_000_000, 1_000_000_000
BLOCK = 1 << 20


def timed(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def rounds(acts: dict[str, Callable[[], object]], count: int) -> dict[str, float]:
    """Return the median seconds of each act, measured in turns after one turn that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in acts}
    for turn in range(count + 1):
        for name, act in acts.items():
            gc.collect()
            took = timed(act)
            if turn:
                seconds[name].append(took)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def ways() -> tuple[list[Way], list[str]]:
    """Return every way that is installed, and the names of those that are not."""
    found: list[Way] = []
    missing: list[str] = []
    for make in vault_rivals.WAYS:
        try:
            found.append(make())
        except NotInstalled as absent:
            missing.append(str(absent))
    return found, missing


def in_memory(length: int, count: int, found: list[Way]) -> None:
    plaintext = os.urandom(length)
    sealing, opening = {}, {}
    for way in found:
        sealed = way.seal(plaintext)
        assert bytes(way.open(sealed)) == plaintext, way.name
    # One way after the other: at 1 GB the memory of all at once would not fit.
    for way in found:
        sealed = bytes(way.seal(plaintext))
        sealing |= rounds({way.name: lambda way=way: way.seal(plaintext)}, count)
        opening |= rounds({way.name: lambda way=way, sealed=sealed: way.open(sealed)}, count)
        del sealed
    if count >= 5:  # short enough to be done in turns
        kept = {way.name: bytes(way.seal(plaintext)) for way in found}
        sealing = rounds({way.name: lambda way=way: way.seal(plaintext) for way in found}, count)
        opening = rounds({way.name: lambda way=way: way.open(kept[way.name]) for way in found}, count)
    fastest_seal, fastest_open = sealing[found[0].name], opening[found[0].name]
    print(f"\n### In memory, {length // MB:,} MB, median of {count}\n")
    print("| | seal ms | of raw | open ms | of raw |\n|---|---:|---:|---:|---:|")
    for way in found:
        seal, unseal = sealing[way.name], opening[way.name]
        print(
            f"| {way.name} | {seal * 1e3:.2f} | {fastest_seal / seal:.2f} "
            f"| {unseal * 1e3:.2f} | {fastest_open / unseal:.2f} |"
        )


def _blocks(plaintext: bytes) -> Iterator[memoryview]:
    whole = memoryview(plaintext)
    for at in range(0, len(whole), BLOCK):
        yield whole[at : at + BLOCK]


def on_disk(folder: Path, length: int, count: int) -> None:
    """The object store's own path: sealed, written, synced; against the same bytes written and synced as they are."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from headshotly.vault import durable, envelope, streaming
    from headshotly.vault.objectstore import FolderObjectStore

    store, owner, object_id = FolderObjectStore(folder / "objects"), uuid.uuid4(), uuid.uuid4()
    about = {"owner": owner, "object_id": object_id, "purpose": "bench", "customer_key": os.urandom(32)}
    plaintext, cipher, nonce = os.urandom(length), AESGCM(os.urandom(32)), os.urandom(12)
    out = bytearray(length + 16)

    def seal() -> None:
        data_key, header = envelope.make(**about)

        def pieces() -> Iterator[bytes | memoryview]:
            yield header
            yield from streaming.seal(streaming.pieces_of(plaintext), data_key, header)

        store.write(owner, object_id, pieces())

    def unseal() -> None:
        file = store.open(owner, object_id)
        header = envelope.read(bytes(file.view(0, envelope.LONGEST)))
        key = envelope.unwrap(header, **about)
        opened = streaming.Opener(file, start=len(header.raw), data_key=key, associated=header.raw).read_all()
        file.close()
        assert len(opened) == length

    def raw() -> None:
        cipher.encrypt_into(nonce, plaintext, None, out)
        durable.write(folder / "raw", _blocks(out))

    written = rounds(
        {
            "plain copy": lambda: durable.write(folder / "plain", _blocks(plaintext)),
            "raw AESGCM.encrypt_into, then written": raw,
            "HeadShotly object": seal,
        },
        count,
    )
    read = rounds({"plain copy": (folder / "plain").read_bytes, "HeadShotly object": unseal}, count)
    print(f"\n### On the disk, synced, {length // MB:,} MB, median of {count}\n")
    print("| | seal ms | of plain | open ms | of plain |\n|---|---:|---:|---:|---:|")
    for name, took in written.items():
        opened = (
            f"{read[name] * 1e3:.1f} | {read['plain copy'] / read[name]:.2f}" if name in read else "not measured | "
        )
        print(f"| {name} | {took * 1e3:.1f} | {written['plain copy'] / took:.2f} | {opened} |")


def _prepare(folder: Path) -> None:
    os.environ |= {  # noqa: TID251 - the bench sets what the settings read
        "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
        "HEADSHOTLY_ENVIRONMENT": "test",
        "HEADSHOTLY_DATA": str(folder / "data"),
        "HEADSHOTLY_MAIL": str(folder / "mail"),
    }
    import django

    django.setup()
    from django.core.management import call_command

    for database in ("default", "journal", "keys"):
        call_command("migrate", database=database, verbosity=0)


def _customer() -> uuid.UUID:
    from headshotly.audit.actor import SYSTEM
    from headshotly.vault import services

    subject = uuid.uuid4()
    services.create_customer_key(actor=SYSTEM, subject=subject)
    return subject


def _warrant(subject: uuid.UUID) -> Warrant:
    from headshotly.audit.actor import Actor
    from headshotly.vault import minting

    actor = Actor(kind="customer", id=subject)
    return minting.mint(
        actor=actor, subject=subject, purpose="bench", basis="session:bench", valid_for=dt.timedelta(hours=1)
    )


def whole_vault(length: int, count: int) -> None:
    """Warrant, durable journal entry, database row, keys, store: what a caller of the room waits for."""
    from headshotly.audit.actor import SYSTEM
    from headshotly.vault import services

    subject = _customer()
    warrant, plaintext = _warrant(subject), os.urandom(length)

    def seal() -> uuid.UUID:
        return services.seal(actor=SYSTEM, subject=subject, kind="photo", purpose="bench", plaintext=plaintext)

    object_id = seal()
    took = rounds(
        {"vault.seal": seal, "vault.open": lambda: services.open(object_id=object_id, warrant=warrant)}, count
    )
    print(f"\n### Through the whole room (journal, database, keys, store), {length // MB:,} MB, median of {count}\n")
    print("| | ms |\n|---|---:|")
    for name, seconds in took.items():
        print(f"| {name} | {seconds * 1e3:.1f} |")


class Zeros:
    """A long plaintext that takes no memory."""

    def __init__(self, length: int) -> None:
        self._left, self._block = length, bytes(BLOCK)

    def read(self, size: int) -> bytes:
        """Return at most ``size`` of the zeros that are left."""
        piece = self._block[: min(size, self._left, BLOCK)]
        self._left -= len(piece)
        return piece


def ranges(length: int, count: int) -> None:
    """A hundred bytes at chance places of one long object, the object's length authenticated each time."""
    import random

    from headshotly.audit.actor import SYSTEM
    from headshotly.vault import customer_keys, envelope, services, streaming, wiring

    subject = _customer()
    object_id = services.seal_stream(actor=SYSTEM, subject=subject, kind="photo", purpose="bench", source=Zeros(length))
    warrant = _warrant(subject)
    places = [random.randrange(length - 100) for _ in range(count)]
    reading: list[float] = []
    for place in places:

        def read(place: int = place) -> None:
            file = wiring.object_store().open(subject, object_id)
            header = envelope.read(bytes(file.view(0, envelope.LONGEST)))
            key = envelope.unwrap(
                header,
                owner=subject,
                object_id=object_id,
                purpose="bench",
                customer_key=customer_keys.plain(subject),
            )
            opener = streaming.Opener(file, start=len(header.raw), data_key=key, associated=header.raw)
            assert len(opener.read_range(place, 100)) == 100
            file.close()

        reading.append(timed(read))
    whole = [
        timed(lambda place=place: services.open_range(object_id=object_id, warrant=warrant, start=place, length=100))
        for place in places
    ]
    print(f"\n### 100 bytes of {length // MB:,} MB, {count} chance places, page cache warm\n")
    print("| | median ms | 95th percentile ms |\n|---|---:|---:|")
    for name, taken in (
        ("open the file, unwrap, authenticate the length, read", reading),
        ("vault.open_range with its durable journal entry", whole),
    ):
        print(f"| {name} | {statistics.median(taken) * 1e3:.2f} | {statistics.quantiles(taken, n=20)[-1] * 1e3:.2f} |")


def shredding(many: int, count: int) -> None:
    """Customers with one photo and with many: destroying the key, and the whole deletion with its receipt."""
    from headshotly.audit.actor import SYSTEM
    from headshotly.policy import clock
    from headshotly.vault import services, wiring
    from headshotly.vault.models import StoredObject

    def customer(photos: int) -> uuid.UUID:
        subject = _customer()
        services.seal(actor=SYSTEM, subject=subject, kind="photo", purpose="bench", plaintext=bytes(1000))
        # The other files and rows without a sync each: making them is not what is measured.
        (first,) = (wiring.object_store()._owner(subject)).iterdir()
        rows = [
            StoredObject(subject=subject, kind="photo", purpose="bench", sealed_bytes=1000, sealed_at=clock.now())
            for _ in range(photos - 1)
        ]
        StoredObject.objects.bulk_create(rows, batch_size=500)
        for row in rows:
            first.with_name(f"{row.id.hex}.sealed").write_bytes(bytes(1200))
        return subject

    taken: dict[tuple[str, int], list[float]] = {}
    for _ in range(count):
        for photos in (1, many):
            subject = customer(photos)
            os.sync()
            key = timed(lambda subject=subject: services.shred_key(actor=SYSTEM, subject=subject))
            rest = timed(lambda subject=subject: services.shred(actor=SYSTEM, subject=subject))
            taken.setdefault(("destroying the key: from here on nothing opens", photos), []).append(key)
            taken.setdefault(("everything: key, bytes, rows, journal, receipt", photos), []).append(key + rest)
    print(f"\n### Shredding a customer, median of {count}\n")
    print(f"| | 1 photo, ms | {many:,} photos, ms | ratio |\n|---|---:|---:|---:|")
    for name in dict.fromkeys(name for name, _ in taken):
        one, other = (statistics.median(taken[name, photos]) for photos in (1, many))
        print(f"| {name} | {one * 1e3:.1f} | {other * 1e3:.1f} | {other / one:.2f} |")


def memory(folder: Path, length: int) -> None:
    """The peak of a process of its own that seals and opens a long stream, above what it had after a short one."""
    command = [sys.executable, "-m", "bench.vault", "--stream", str(length), "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    print(f"\n### Memory\n\n| | MiB above base |\n|---|---:|\n| sealing and opening {length // MB:,} MB as streams "
          f"| {int(done.stdout) / 1024:.1f} |")  # fmt: skip


def peak_kib() -> int:
    """Return this program's peak of resident memory; getrusage would count what its parent had before it as well."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def stream(folder: Path, length: int) -> None:
    """What ``memory`` starts."""
    _prepare(folder)
    from headshotly.audit.actor import SYSTEM
    from headshotly.vault import services

    def through(size: int) -> None:
        subject = _customer()
        object_id = services.seal_stream(
            actor=SYSTEM, subject=subject, kind="photo", purpose="bench", source=Zeros(size)
        )
        plaintext = services.open_stream(object_id=object_id, warrant=_warrant(subject))
        assert sum(map(len, plaintext)) == size
        services.destroy(actor=SYSTEM, object_id=object_id)

    through(BLOCK)
    base = peak_kib()
    through(length)
    print(peak_kib() - base)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--small", action="store_true", help="a tenth of everything, to see that it runs")
    arguments.add_argument("--folder", type=Path, help="where to write; a temporary folder otherwise")
    arguments.add_argument("--stream", type=int, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="headshotly-bench-", dir=asked.folder) as name:
        folder = Path(name)
        if asked.stream:
            stream(folder, asked.stream)
            return
        long, many = (GB // 10, 1000) if asked.small else (GB, 10_000)
        found, missing = ways()
        print(f"Measured on Python {sys.version.split()[0]}, {os.cpu_count()} CPUs.")
        if missing:
            print(f"Not measured, because not installed: {', '.join(missing)}.")
        in_memory(12 * MB, 15, found)
        in_memory(long, 3, found)
        on_disk(folder, 12 * MB, 11)
        on_disk(folder, long, 3)
        memory(folder, 2 * long)
        _prepare(folder)
        whole_vault(12 * MB, 11)
        ranges(long, 200)
        shredding(many, 5)


if __name__ == "__main__":
    main()
