"""The object store on S3, or a server that speaks its protocol. Talks to AWS through ``vendors.aws`` only."""

import contextlib
import datetime as dt
import itertools
from collections.abc import Buffer, Iterable, Iterator
from typing import Any
from uuid import UUID

from headshotly.policy.enforcement import enforces
from headshotly.vault.errors import ObjectMissing, StoreFull, StoreUnavailable
from headshotly.vault.streaming import SealedFile
from headshotly.vendors.aws import BotoCoreError, ClientError, error_code

_PART = 8 << 20  # S3 takes parts of 5 MiB or more, and 10,000 of them
_FIRST_READ = 1 << 16
_AHEAD = 8 << 20
_DELETE_AT_ONCE = 1000
_NO_ROOM = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"}
_GONE = {"NoSuchKey", "404", "NotFound", "NoSuchUpload", "NoSuchVersion"}


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Turn what the server says into our refusals."""
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if code in _NO_ROOM:
            raise StoreFull("There is no storage space left, so nothing was saved. Please try again later.") from error
        if code in _GONE:
            raise ObjectMissing("There is nothing here.") from error
        raise StoreUnavailable("The storage did not answer as it should. Please try again later.") from error
    except BotoCoreError as error:
        raise StoreUnavailable("The storage could not be reached. Please try again later.") from error


class _RemoteFile:
    """A sealed object on the server. Reads a little at first, and further ahead while reading goes straight on."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._place = client, {"Bucket": bucket, "Key": key}
        with answering():
            head = client.head_object(**self._place)
        self.size = int(head["ContentLength"])
        self._etag = str(head["ETag"])
        self._held = b""
        self._at = 0

    def view(self, offset: int, length: int) -> memoryview:
        """Return bytes of the object, valid until the next call; fewer only where it ends."""
        end = min(offset + length, self.size)
        if not (self._at <= offset and end <= self._at + len(self._held)):
            # Straight on: the wanted bytes begin in what is held or right after it.
            straight_on = bool(self._held) and self._at <= offset <= self._at + len(self._held)
            wanted = max(length, _AHEAD if straight_on else _FIRST_READ)
            self._held = self._fetch(offset, min(offset + wanted, self.size))
            self._at = offset
        return memoryview(self._held)[offset - self._at : end - self._at]

    def _fetch(self, begin: int, end: int) -> bytes:
        if begin >= end:
            return b""
        with answering():
            # Objects are written once; another ETag means that somebody put something else in its place.
            answer = self._client.get_object(**self._place, Range=f"bytes={begin}-{end - 1}", IfMatch=self._etag)
            with contextlib.closing(answer["Body"]) as body:
                return bytes(body.read())

    def close(self) -> None:
        """Forget what was read."""
        self._held = b""


@enforces("3.2.a")
class S3ObjectStore:
    """One key for each object: prefix, owner, object id. On a bucket that keeps versions, deleting removes them all."""

    def __init__(self, client: Any, *, bucket: str, prefix: str = "objects/") -> None:
        """Take an S3 client and the place in it.

        Raises:
            ValueError: no bucket is named.
        """
        if not bucket:
            raise ValueError("name the bucket of the object store (option s3.bucket)")
        self._client, self._bucket, self._prefix = client, bucket, prefix
        self._versions: bool | None = None

    @property
    def name(self) -> str:
        """Return what receipts call this store."""
        return "S3 bucket, every version"

    def _owner(self, subject: UUID) -> str:
        return f"{self._prefix}{subject.hex}/"

    def _key(self, subject: UUID, object_id: UUID) -> str:
        return f"{self._owner(subject)}{object_id.hex}.sealed"

    def _keeps_versions(self) -> bool:
        if self._versions is None:
            with answering():
                status = self._client.get_bucket_versioning(Bucket=self._bucket).get("Status", "")
            self._versions = status in {"Enabled", "Suspended"}
        return self._versions

    def write(self, subject: UUID, object_id: UUID, pieces: Iterable[Buffer]) -> int:
        """Keep an object, whole or not at all: S3 shows it only when it is complete. Return its bytes."""
        return put(self._client, {"Bucket": self._bucket, "Key": self._key(subject, object_id)}, pieces)

    def open(self, subject: UUID, object_id: UUID) -> SealedFile:
        """Return a reader."""
        return _RemoteFile(self._client, self._bucket, self._key(subject, object_id))

    def _kept(self, prefix: str) -> Iterator[dict[str, str]]:
        """Yield everything beneath a prefix as ``delete_objects`` takes it: all versions and marks of deletion."""
        if self._keeps_versions():
            for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix):
                for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    yield {"Key": one["Key"], "VersionId": one["VersionId"]}
            return
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for one in page.get("Contents", []):
                yield {"Key": one["Key"]}

    def _uploads(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Yield unfinished uploads beneath a prefix."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix)
        try:
            for page in pages:
                yield from page.get("Uploads", [])
        except ClientError as error:
            # Some servers say “no such upload” where AWS returns an empty list.
            if error_code(error) != "NoSuchUpload":
                raise

    def _remove(self, prefix: str) -> None:
        with answering():
            for batch in itertools.batched(list(self._kept(prefix)), _DELETE_AT_ONCE):
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": list(batch), "Quiet": True}
                )
                # S3 answers 200 also where single objects could not be deleted.
                if answer.get("Errors"):
                    raise StoreUnavailable("The storage could not delete everything. Please try again later.")

    def delete(self, subject: UUID, object_id: UUID) -> None:
        """Remove an object with every version of it; repeating is harmless."""
        self._remove(self._key(subject, object_id))

    def delete_all(self, subject: UUID) -> None:
        """Remove everything of one owner: objects, versions, marks, unfinished uploads."""
        with answering():
            for upload in list(self._uploads(self._owner(subject))):
                self._abort(upload)
        self._remove(self._owner(subject))

    def _abort(self, upload: dict[str, Any]) -> None:
        # One that was completed or aborted meanwhile is gone, which is what we want.
        with contextlib.suppress(ObjectMissing), answering():
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"])

    def holds(self, subject: UUID, object_id: UUID) -> bool:
        """Say whether any version of the object is still kept."""
        with answering():
            return any(True for _ in self._kept(self._key(subject, object_id)))

    def remnants(self, subject: UUID) -> list[str]:
        """Name everything of one owner that is still kept."""
        with answering():
            kept = [one["Key"] for one in self._kept(self._owner(subject))]
            return kept + [upload["Key"] for upload in self._uploads(self._owner(subject))]

    def objects(self, *, before: dt.datetime) -> Iterator[tuple[UUID, UUID]]:
        """Yield owner and id of everything that was written before a moment."""
        with answering():
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            ):
                for one in page.get("Contents", []):
                    owner, _, file = one["Key"].removeprefix(self._prefix).partition("/")
                    if one["LastModified"] < before and file.endswith(".sealed"):
                        yield UUID(owner), UUID(file.removesuffix(".sealed"))

    def sweep(self, *, before: dt.datetime) -> int:
        """Remove unfinished uploads begun before a moment; return how many."""
        with answering():
            old = [upload for upload in self._uploads(self._prefix) if upload["Initiated"] < before]
        for upload in old:
            self._abort(upload)
        return len(old)


def put(client: Any, place: dict[str, str], pieces: Iterable[Buffer], **conditions: Any) -> int:
    """Keep an object on S3, whole or not at all: it is shown only when it is complete.

    Args:
        client: of S3.
        place: ``Bucket`` and ``Key``.
        pieces: its content.
        conditions: what else S3 shall be told, such as an object lock.

    Returns:
        How many bytes were written.

    Raises:
        StoreFull: there is no room.
        StoreUnavailable: the store failed.
    """
    parts = _parts(pieces)
    first, second = next(parts), next(parts, None)
    with answering():
        if second is None:
            client.put_object(**place, Body=first, **conditions)
            return len(first)
        return _put_parts(client, place, itertools.chain([first, second], parts), conditions)


def _put_parts(client: Any, place: dict[str, str], parts: Iterator[bytes], conditions: dict[str, Any]) -> int:
    """Upload in parts. A crash leaves parts that nobody can read; ``sweep`` and ``delete_all`` remove them."""
    upload = {**place, "UploadId": client.create_multipart_upload(**place, **conditions)["UploadId"]}
    written, done = 0, []
    try:
        for number, part in enumerate(parts, 1):
            answer = client.upload_part(**upload, PartNumber=number, Body=part)
            done.append({"PartNumber": number, "ETag": answer["ETag"]})
            written += len(part)
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": done})
    except BaseException:
        with contextlib.suppress(ClientError, BotoCoreError):
            client.abort_multipart_upload(**upload)
        raise
    return written


def _parts(pieces: Iterable[Buffer]) -> Iterator[bytes]:
    """Yield pieces joined to parts of at least 8 MiB; at least one part, at most two in memory."""
    gathered = bytearray()
    empty = True
    for piece in pieces:
        gathered += piece
        if len(gathered) >= _PART:
            yield bytes(gathered)
            gathered, empty = bytearray(), False
    if gathered or empty:
        yield bytes(gathered)
