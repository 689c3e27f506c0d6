"""The witness in an S3 bucket with object lock: not even the account's owner can take a head back."""

import datetime as dt
from typing import Any

from headshotly.audit.witnesses import refuse_other
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces


@enforces("5.3.a")
class S3Witness:
    """One object a head, locked in compliance mode, never overwritten.

    Args:
        client: an S3 client; the front door makes it, in a region of the Union.
        bucket: made with object lock switched on.
        days: how long a head is locked.
        prefix: begins every key.
    """

    def __init__(self, client: Any, *, bucket: str, days: int, prefix: str = "heads/") -> None:
        self._client = client
        self._bucket = bucket
        self._lock = dt.timedelta(days=days)
        self._prefix = prefix

    def keep(self, size: int, note: str) -> None:
        """Keep the note; the server refuses a second one under the same key.

        Raises:
            JournalDamaged: another note is kept for this size.
            OSError: the server refused or did not answer.
        """
        key = f"{self._prefix}{size:020}.note"
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=note.encode(),
                ContentType="text/plain; charset=utf-8",
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=clock.now() + self._lock,
            )
        except self._client.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") not in {"PreconditionFailed", "412"}:
                raise OSError(f"the witness did not keep the head over {size} entries") from error
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            refuse_other(size, answer["Body"].read().decode(), note)

    def notes(self) -> list[str]:
        """Return every version of every note, smallest size first.

        All versions: a later one laid over a head, or a deletion marker, must not hide it.
        """
        found: list[tuple[str, str]] = []
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=self._prefix)
        for page in pages:
            for version in page.get("Versions", []):
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=version["Key"], VersionId=version["VersionId"]
                )
                found.append((version["Key"], answer["Body"].read().decode()))
        return [note for _, note in sorted(found)]
