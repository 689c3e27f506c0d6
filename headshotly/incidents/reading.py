"""Readers: how each source is read on from where it was left. What was read and how far is committed together."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote_plus

from headshotly.audit.errors import JournalDamaged
from headshotly.audit.leaf import decode
from headshotly.audit.selectors import raw_entries
from headshotly.incidents import spool
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.models import Offset
from headshotly.incidents.observation import Observation
from headshotly.incidents.sources import amazon, journal, suricata

BATCH = 500
FILE_BYTES_MAX = 256 << 20


def _nothing() -> None:
    """Do nothing after a batch that needs nothing."""


@dataclass(slots=True)
class Batch:
    """What one look at a source gave.

    Attributes:
        source: for what was refused.
        observations: the events.
        offsets: reader → position, to be written with them.
        refused: how many deliveries were no event.
        lost: how many lines a writer had to give up.
        afterwards: tells the source, once everything is committed; may be done again.
    """

    source: str
    observations: list[Observation] = field(default_factory=list)
    offsets: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    lost: int = 0
    afterwards: Callable[[], None] = _nothing

    @property
    def is_empty(self) -> bool:
        """Say whether there was nothing at all."""
        return not (self.observations or self.offsets or self.refused or self.lost)


class Reader(Protocol):
    """Reads one source."""

    @property
    def name(self) -> str:
        """Return the source's name."""

    def read(self) -> Batch:
        """Return what came since the committed offset; the same again, if it was not committed."""


def position(reader: str) -> int:
    """Return how far a reader has come."""
    return Offset.objects.filter(reader=reader).values_list("position", flat=True).first() or 0


class JournalReader:
    """Reads the sequenced journal, entry by entry."""

    name = "journal"

    def read(self) -> Batch:
        """Return the next entries."""
        start = position("journal")
        batch = Batch("journal")
        for index, raw in raw_entries(start=start, most=BATCH):
            batch.offsets["journal"] = index + 1
            try:
                leaf = decode(raw)
            except JournalDamaged:
                batch.refused += 1
                continue
            if leaf.act not in journal.OWN_ACTS:
                batch.observations.append(journal.observe(leaf, raw))
        return batch


class SpoolReader:
    """Reads the lines that this machine's processes leave."""

    def __init__(self, name: str, observe: Callable[[dict[str, Any], bytes], Observation]) -> None:
        """Take the spool's name and what makes an event of a line."""
        self.name = name
        self._observe = observe

    def read(self) -> Batch:
        """Return the next lines, the oldest segments first; segments that are read and let go are removed after."""
        batch = Batch(self.name)
        finished: list[tuple[str, Path]] = []
        left = BATCH
        for path in spool.segments(self.name):
            reader = f"spool:{self.name}:{path.stem}"
            over = spool.is_over(path)  # asked before reading: what is over gets no further line
            start = end = position(reader)
            for line in spool.lines(path, start=start, most=left):
                end = line.end
                left -= 1
                self._take(line.data, batch)
            if end > start:
                batch.offsets[reader] = end
            if over and left:
                batch.refused += int(end < path.stat().st_size)  # a torn last line of a writer that died
                finished.append((reader, path))
            if left <= 0:
                break
        if finished:
            batch.afterwards = lambda: _remove(finished)
        return batch

    def _take(self, data: bytes, batch: Batch) -> None:
        try:
            line = json.loads(data)
            if not isinstance(line, dict):
                raise EventRefused("A line is no event.")  # noqa: TRY301 - counted where every broken line is
            if "lost" in line:
                batch.lost += int(line["lost"])
                return
            batch.observations.append(self._observe(line, data))
        except (EventRefused, ValueError, TypeError, RecursionError):
            batch.refused += 1


def _remove(finished: Iterable[tuple[str, Path]]) -> None:
    """Remove segments that were read to the end. A crash in between leaves a row that names no file; harmless."""
    for reader, path in finished:
        path.unlink(missing_ok=True)
        Offset.objects.filter(reader=reader).delete()


@dataclass(frozen=True, slots=True)
class Form:
    """How a delivered file becomes events: split into records, each of which may be refused by itself."""

    split: Callable[[bytes], Iterator[Any]]
    observe: Callable[[Any], Observation]


def _json_lines(content: bytes) -> Iterator[Any]:
    for line in content.splitlines():
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                yield None  # refused where it is observed


def _flows(content: bytes) -> Iterator[dict[str, str]]:
    return (record for record in amazon.flow_lines(content) if record.get("log-status", "OK") == "OK")


FORMS = {
    "cloudtrail": Form(amazon.cloudtrail_file, amazon.cloudtrail),
    "guardduty": Form(_json_lines, amazon.guardduty),
    "vpc-flow": Form(_flows, amazon.flow),
    "network-firewall": Form(_json_lines, amazon.firewall),
}


def _observed(records: Iterable[Any], form: Form, batch: Batch) -> int:
    """Add the events of records to a batch, count the refused, and return how many records there were."""
    count = 0
    for record in records:
        count += 1
        try:
            batch.observations.append(form.observe(record))
        except EventRefused:
            batch.refused += 1
    return count


class FolderReader:
    """Reads files that are delivered whole into a folder, such as AWS's logs copied from their bucket."""

    def __init__(self, name: str, place: Path) -> None:
        """Take the source's name, one of ``FORMS``, and its folder."""
        self.name = name
        self._place = place

    def read(self) -> Batch:
        """Return the next events of the first file that is not read to its end; its offset is below zero then."""
        batch = Batch(self.name)
        for path in sorted(self._place.rglob("*")):
            reader = f"file:{self.name}:{path.relative_to(self._place)}"[-200:]
            row = Offset.objects.filter(reader=reader).first()
            if not path.is_file() or path.name.startswith(".") or (row is not None and row.mark == "done"):
                continue
            start, form = row.position if row else 0, FORMS[self.name]
            try:
                count = _observed(islice(form.split(_content(path)), start, start + BATCH), form, batch)
            except EventRefused:
                count = 0
                batch.refused += 1
            batch.offsets[reader] = start + count if count == BATCH else -1
            break
        return batch


def _content(path: Path) -> bytes:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise EventRefused("A delivered file is far too large.")
    return amazon.unpacked(path.read_bytes())


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EventRefused("A delivered line is no JSON.") from error


class TailReader:
    """Reads a log that grows and is rotated, such as Suricata's ``eve.json``."""

    def __init__(self, path: Path) -> None:
        """Take the log's path."""
        self.name = "suricata"
        self._path = path

    def read(self) -> Batch:
        """Return the next whole lines. The inode tells one file from the next; a rotated one is read to its end."""
        batch = Batch(self.name)
        for path in [*sorted(self._path.parent.glob(f"{self._path.name}.*")), self._path]:
            if not path.is_file() or path.suffix == ".gz":
                continue
            reader = f"tail:{path.parent}:{path.stat().st_ino}"[-200:]
            start = position(reader)
            for line in spool.lines(path, start=start, most=BATCH):
                batch.offsets[reader] = line.end
                try:
                    batch.observations.append(suricata.observe(line.data))
                except EventRefused:
                    batch.refused += 1
            if batch.offsets:
                break
        return batch


class QueueReader:
    """Reads SQS: notices about files in a bucket, and findings sent directly. Messages go only after the commit."""

    def __init__(self, name: str, queue: str, *, sqs: Any, s3: Any) -> None:
        """Take the source's name, the queue's address, and clients from the AWS adapter."""
        self.name = name
        self._queue, self._sqs, self._s3 = queue, sqs, s3

    def read(self) -> Batch:
        """Return the events of the next messages; one that nobody can read is counted and left to the queue."""
        batch = Batch(self.name)
        answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=5, WaitTimeSeconds=0)
        read = []
        for message in answer.get("Messages", ()):
            try:
                self._add(message["Body"], batch)
            except EventRefused:
                batch.refused += 1  # the queue's redrive policy sets it aside after a few tries
                continue
            read.append(message["ReceiptHandle"])
        if read:
            batch.afterwards = lambda: self._forget(read)
        return batch

    def _add(self, body: str, batch: Batch) -> None:
        said = _json(body.encode())
        if isinstance(said, dict) and isinstance(said.get("Message"), str):  # through SNS
            said = _json(said["Message"].encode())
        if not isinstance(said, dict):
            raise EventRefused("A message of the queue is none of AWS's.")
        if said.get("Event") == "s3:TestEvent":
            return
        if "detail" in said:
            batch.observations.append(amazon.guardduty(said))
            return
        places = [
            (one["s3"]["bucket"]["name"], unquote_plus(one["s3"]["object"]["key"])) for one in said.get("Records", ())
        ]
        if not places:
            raise EventRefused("A message of the queue names no file.")
        for bucket, key in places:
            content = self._content(bucket, key)
            _observed(FORMS[self.name].split(content), FORMS[self.name], batch)

    def _content(self, bucket: str, key: str) -> bytes:
        answer = self._s3.get_object(Bucket=bucket, Key=key)
        if answer["ContentLength"] > FILE_BYTES_MAX:
            raise EventRefused("A delivered file is far too large.")
        return amazon.unpacked(answer["Body"].read())

    def _forget(self, handles: Iterable[str]) -> None:
        for handle in handles:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=handle)
