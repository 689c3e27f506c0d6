"""A backup store on S3: a bucket with object lock for the repository, one without versions for the mirror."""

import contextlib
import datetime as dt
import itertools
from collections.abc import Buffer, Iterable, Iterator
from typing import Any

from headshotly.continuity.errors import PlacesRefused
from headshotly.continuity.stores import PIECE, Kept
from headshotly.policy.enforcement import enforces
from headshotly.vault import s3
from headshotly.vault.errors import ObjectMissing, StoreUnavailable
from headshotly.vendors.aws import ClientError, error_code

_LOCKED = {"AccessDenied", "InvalidRequest", "ObjectLocked"}
_SKEWED = {"RequestTimeTooSkewed", "RequestExpired"}


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """Turn what the server says into refusals; a wrong clock is said to be one."""
    with s3.answering():
        try:
            yield
        except ClientError as error:
            if error_code(error) in _SKEWED:
                raise StoreUnavailable(
                    "The backup store refuses us because this machine's clock is wrong. Set it, and try again."
                ) from error
            raise


class S3Repository:
    """One bucket. Where it has object lock, what a backup needs cannot be removed before its date by anybody."""

    def __init__(self, client: Any, *, bucket: str, prefix: str = "") -> None:
        """Take a client and a bucket in the same region."""
        self._client, self._bucket, self._prefix = client, bucket, prefix
        self._locks: bool | None = None
        self._versions: bool | None = None

    def _place(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    @property
    def locks(self) -> bool:
        """Say whether the bucket was made with object lock."""
        if self._locks is None:
            with _answering():
                try:
                    answer = self._client.get_object_lock_configuration(Bucket=self._bucket)
                    state = answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled")
                    self._locks = state == "Enabled"
                except ClientError as error:
                    if error_code(error) in {"AccessDenied", "NoSuchBucket", "InvalidAccessKeyId"}:
                        raise
                    # The bucket, or the whole server, knows nothing of locks.
                    self._locks = False
        return self._locks

    def put(self, name: str, pieces: Iterable[Buffer], *, until: dt.datetime) -> int:
        """Keep something, whole or not at all, locked where the bucket locks."""
        lock: dict[str, Any] = (
            {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until, "ChecksumAlgorithm": "SHA256"}
            if self.locks
            else {}
        )
        with _answering():
            return s3.put(self._client, self._place(name), pieces, **lock)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the content of the newest version."""
        with _answering():
            answer = self._client.get_object(**self._place(name))
            with contextlib.closing(answer["Body"]) as body:
                yield from body.iter_chunks(PIECE)

    def kept(self, prefix: str) -> Iterator[Kept]:
        """Yield everything whose name begins so."""
        with _answering():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            for page in pages:
                for one in page.get("Contents", []):
                    yield Kept(one["Key"].removeprefix(self._prefix), int(one["Size"]), one["LastModified"])

    def hold(self, name: str, until: dt.datetime) -> None:
        """Move the lock's end to a later date."""
        if self.locks:
            with _answering():
                self._client.put_object_retention(
                    **self._place(name), Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until}
                )

    def _versions_of(self, name: str) -> list[dict[str, str]]:
        if self._versions is None:
            status = self._client.get_bucket_versioning(Bucket=self._bucket).get("Status", "")
            self._versions = status in {"Enabled", "Suspended"}
        if not self._versions:
            return [self._place(name)]
        found = []
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=self._prefix + name
        )
        for page in pages:
            versions = itertools.chain(page.get("Versions", []), page.get("DeleteMarkers", []))
            found += [{"Bucket": self._bucket, "Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
        return found

    def remove(self, name: str) -> bool:
        """Remove every version; what a lock still holds stays, and is tried again with the next round."""
        with _answering():
            for version in self._versions_of(name):
                try:
                    self._client.delete_object(**version)
                except ClientError as error:
                    if error_code(error) in _LOCKED and self.locks:
                        return False
                    raise
        return True

    def sweep(self, *, before: dt.datetime) -> int:
        """Abort unfinished uploads begun before a moment; return how many."""
        swept = 0
        with _answering():
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket)
            try:
                for one in [one for page in pages for one in page.get("Uploads", []) if one["Initiated"] < before]:
                    self._client.abort_multipart_upload(Bucket=self._bucket, Key=one["Key"], UploadId=one["UploadId"])
                    swept += 1
            except ClientError as error:
                if error_code(error) != "NoSuchUpload":
                    raise
        return swept


@enforces("3.2.a")
class S3Mirror:
    """A bucket that keeps no versions and has no lock: a key removed from it is gone."""

    def __init__(self, client: Any, *, bucket: str, prefix: str = "") -> None:
        """Take a client and a bucket.

        Raises:
            PlacesRefused: the bucket keeps versions, so that a destroyed key would stay in it.
            StoreUnavailable: the server did not answer.
        """
        self._client, self._bucket, self._prefix = client, bucket, prefix
        with _answering():
            status = client.get_bucket_versioning(Bucket=bucket).get("Status", "")
        if status in {"Enabled", "Suspended"}:
            raise PlacesRefused(
                f"The bucket {bucket} keeps old versions, so destroyed keys would stay in it. "
                "Name a bucket without versions for the mirror of the keys."
            )

    def _place(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    def put(self, name: str, content: bytes) -> None:
        """Keep a file in the place of what it held before."""
        with _answering():
            self._client.put_object(**self._place(name), Body=content)

    def get(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none."""
        try:
            with _answering():
                answer = self._client.get_object(**self._place(name))
                with contextlib.closing(answer["Body"]) as body:
                    return bytes(body.read())
        except ObjectMissing:
            return None

    def names(self, prefix: str) -> list[str]:
        """Return the names that begin so."""
        with _answering():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            return [one["Key"].removeprefix(self._prefix) for page in pages for one in page.get("Contents", [])]

    def remove(self, name: str) -> None:
        """Remove a file; repeating is harmless."""
        with _answering():
            self._client.delete_object(**self._place(name))
