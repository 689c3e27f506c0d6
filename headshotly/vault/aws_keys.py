"""The key service on AWS KMS: root keys that never leave Amazon's hardware (clause 3.2.b)."""

import contextlib
from collections.abc import Iterator
from typing import Any

from headshotly.policy.enforcement import enforces
from headshotly.vault.errors import KeyServiceUnavailable
from headshotly.vault.keyservice import Context
from headshotly.vendors.aws import BotoCoreError, ClientError, error_code

_PENDING_DAYS = 7  # the shortest waiting time AWS allows; a root that waits unwraps nothing


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """Turn what AWS says into our refusal."""
    try:
        yield
    except ClientError as error:
        raise KeyServiceUnavailable("The key service refused to use this key.") from error
    except BotoCoreError as error:
        raise KeyServiceUnavailable("The key service did not answer. Please try again in a moment.") from error


def _named(root: str, sealed: bytes) -> bytes:
    """Return what KMS sealed, with the name of its root before it."""
    name = root.encode()
    return bytes([len(name)]) + name + bytes(sealed)


@enforces("3.2.b")
class AwsKeyService:
    """One KMS key for each epoch. The alias ``…/current`` names the one that wraps; ``…/root/ID`` lists the living.

    A wrapped blob is one byte with the length of the root's id, the id, and what KMS returned.
    """

    def __init__(self, client: Any, *, alias: str = "alias/headshotly") -> None:
        """Take a KMS client and the prefix of our aliases."""
        self._kms = client
        self._alias = alias

    @property
    def _current(self) -> str:
        return f"{self._alias}/current"

    def wrap(self, key: bytes, context: Context) -> bytes:
        """Return ``key`` encrypted under the current root; the context is KMS's encryption context."""
        root = self.current_root()
        with _answering():
            answer = self._kms.encrypt(KeyId=root, Plaintext=key, EncryptionContext=dict(context))
        return _named(root, answer["CiphertextBlob"])

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key in a blob; see ``KeyService``."""
        root = self.root_of(blob)
        with _answering():
            answer = self._kms.decrypt(
                CiphertextBlob=blob[1 + len(root) :], KeyId=root, EncryptionContext=dict(context)
            )
        return bytes(answer["Plaintext"])

    def rewrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key in a blob encrypted under the current root, without the key ever leaving the KMS."""
        root, current = self.root_of(blob), self.current_root()
        with _answering():
            answer = self._kms.re_encrypt(
                CiphertextBlob=blob[1 + len(root) :],
                SourceKeyId=root,
                SourceEncryptionContext=dict(context),
                DestinationKeyId=current,
                DestinationEncryptionContext=dict(context),
            )
        return _named(current, answer["CiphertextBlob"])

    def current_root(self) -> str:
        """Return the id of the root that ``wrap`` uses; the first one is made when there is none."""
        with _answering():
            try:
                return str(self._kms.describe_key(KeyId=self._current)["KeyMetadata"]["KeyId"])
            except ClientError as error:
                if error_code(error) != "NotFoundException":
                    raise
        return self._first()

    def root_of(self, blob: bytes) -> str:
        """Return the id of the root a blob was made with."""
        name = blob[1 : 1 + blob[0]] if blob else b""
        if not name or not name.isascii() or len(blob) <= 1 + len(name):
            raise KeyServiceUnavailable("The wrapped key is damaged.")
        return name.decode()

    def roots(self) -> dict[str, str]:
        """Return every root that is not retired, with the time it was made."""
        prefix = f"{self._alias}/root/"
        found: dict[str, str] = {}
        with _answering():
            for page in self._kms.get_paginator("list_aliases").paginate():
                for alias in page["Aliases"]:
                    if alias["AliasName"].startswith(prefix):
                        about = self._kms.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]
                        found[about["KeyId"]] = about["CreationDate"].isoformat(timespec="seconds")
        return found

    def _make(self, policy: str = "") -> str:
        """Make a root that nobody uses yet. A crash before its alias leaves a KMS key without a name.

        Args:
            policy: who may use it, KMS's own document; without one the account decides.
        """
        # Who makes it need not be somebody who may change its policy later: the policy names who may.
        given: dict[str, Any] = {"Policy": policy, "BypassPolicyLockoutSafetyCheck": True} if policy else {}
        with _answering():
            metadata = self._kms.create_key(
                Description="HeadShotly root key", KeyUsage="ENCRYPT_DECRYPT", KeySpec="SYMMETRIC_DEFAULT", **given
            )["KeyMetadata"]
            if policy:
                self._kms.enable_key_rotation(KeyId=metadata["KeyId"])
            self._kms.create_alias(AliasName=f"{self._alias}/root/{metadata['KeyId']}", TargetKeyId=metadata["KeyId"])
        return str(metadata["KeyId"])

    def _first(self) -> str:
        """Make the first root. Of two processes the first alias wins; the other's key is thrown away."""
        root = self._make()
        with _answering():
            try:
                self._kms.create_alias(AliasName=self._current, TargetKeyId=root)
            except ClientError as error:
                if error_code(error) != "AlreadyExistsException":
                    raise
                self.retire(root)
                return self.current_root()
        return root

    def new_root(self) -> str:
        """Make a new root and use it from now on. A crash in between leaves a root that ``roots`` lists.

        It inherits the policy of the one before it: whoever could wrap and unwrap still can, and nobody else.
        """
        present = self.current_root()
        with _answering():
            policy = str(self._kms.get_key_policy(KeyId=present, PolicyName="default")["Policy"])
        root = self._make(policy)
        with _answering():
            self._kms.update_alias(AliasName=self._current, TargetKeyId=root)
        return root

    def retire(self, root: str) -> None:
        """Schedule a root's deletion, which shuts it at once, then drop its alias."""
        if root == self.current_root():
            raise ValueError("the current root cannot be retired; make a new one first")
        with _answering():
            try:
                self._kms.schedule_key_deletion(KeyId=root, PendingWindowInDays=_PENDING_DAYS)
            except ClientError as error:
                # Already waiting to be deleted, or deleted for good.
                if error_code(error) not in {"KMSInvalidStateException", "NotFoundException"}:
                    raise
            try:
                self._kms.delete_alias(AliasName=f"{self._alias}/root/{root}")
            except ClientError as error:
                if error_code(error) != "NotFoundException":
                    raise
