"""A KMS in memory that says no where the real one does: moto still decrypts with a key that waits to be deleted."""

import datetime as dt
import json
import os
import uuid

from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


class StrictKms:
    """Answers like ``boto3.client("kms")`` for the operations the adapter uses."""

    def __init__(self):
        self.keys: dict[str, dict] = {}
        self.aliases: dict[str, str] = {}
        self.calls = 0

    def _find(self, name: str, operation: str) -> dict:
        self.calls += 1
        key_id = self.aliases.get(name, name)
        if key_id not in self.keys:
            raise _error("NotFoundException", operation)
        return self.keys[key_id]

    def _usable(self, name: str, operation: str) -> dict:
        key = self._find(name, operation)
        if key["state"] != "Enabled":
            raise _error("KMSInvalidStateException", operation)
        return key

    def get_key_policy(self, *, KeyId, PolicyName):  # noqa: N803 - the names of AWS
        assert PolicyName == "default"
        return {"Policy": self._find(KeyId, "GetKeyPolicy")["policy"]}

    def enable_key_rotation(self, *, KeyId):  # noqa: N803
        self._usable(KeyId, "EnableKeyRotation")["rotates"] = True

    def create_key(self, *, Policy="", **_):  # noqa: N803
        key_id = str(uuid.uuid4())
        self.keys[key_id] = {
            "id": key_id,
            "key": os.urandom(32),
            "state": "Enabled",
            "made": dt.datetime.now(dt.UTC),
            "policy": Policy or "the account decides",
        }
        return {"KeyMetadata": {"KeyId": key_id}}

    def describe_key(self, *, KeyId):  # noqa: N803 - the names of AWS
        key = self._find(KeyId, "DescribeKey")
        return {"KeyMetadata": {"KeyId": key["id"], "CreationDate": key["made"], "KeyState": key["state"]}}

    def create_alias(self, *, AliasName, TargetKeyId):  # noqa: N803
        self._find(TargetKeyId, "CreateAlias")
        if AliasName in self.aliases:
            raise _error("AlreadyExistsException", "CreateAlias")
        self.aliases[AliasName] = TargetKeyId

    def update_alias(self, *, AliasName, TargetKeyId):  # noqa: N803
        self._usable(TargetKeyId, "UpdateAlias")
        if AliasName not in self.aliases:
            raise _error("NotFoundException", "UpdateAlias")
        self.aliases[AliasName] = TargetKeyId

    def delete_alias(self, *, AliasName):  # noqa: N803
        if self.aliases.pop(AliasName, None) is None:
            raise _error("NotFoundException", "DeleteAlias")

    def get_paginator(self, operation):
        assert operation == "list_aliases"
        aliases = [{"AliasName": name, "TargetKeyId": target} for name, target in self.aliases.items()]
        # One alias a page: whoever forgets the other pages is found out.
        return type("Pages", (), {"paginate": lambda _: iter([{"Aliases": [one]} for one in aliases])})()

    def encrypt(self, *, KeyId, Plaintext, EncryptionContext):  # noqa: N803
        if len(Plaintext) > 4096:
            raise _error("ValidationException", "Encrypt")
        key = self._usable(KeyId, "Encrypt")
        nonce = os.urandom(12)
        bound = json.dumps(EncryptionContext, sort_keys=True).encode()
        sealed = AESGCM(key["key"]).encrypt(nonce, Plaintext, bound)
        return {"CiphertextBlob": key["id"].encode() + nonce + sealed, "KeyId": key["id"]}

    def decrypt(self, *, KeyId, CiphertextBlob, EncryptionContext):  # noqa: N803
        key = self._usable(KeyId, "Decrypt")
        maker, nonce, sealed = CiphertextBlob[:36], CiphertextBlob[36:48], CiphertextBlob[48:]
        if maker.decode("ascii", "replace") not in self.keys:
            raise _error("InvalidCiphertextException", "Decrypt")
        if maker != key["id"].encode():
            raise _error("IncorrectKeyException", "Decrypt")
        try:
            bound = json.dumps(EncryptionContext, sort_keys=True).encode()
            return {"Plaintext": AESGCM(key["key"]).decrypt(nonce, sealed, bound), "KeyId": key["id"]}
        except InvalidTag:
            raise _error("InvalidCiphertextException", "Decrypt") from None

    def re_encrypt(self, *, CiphertextBlob, **given):  # noqa: N803
        self._usable(given["DestinationKeyId"], "ReEncrypt")
        opened = self.decrypt(
            KeyId=given["SourceKeyId"],
            CiphertextBlob=CiphertextBlob,
            EncryptionContext=given["SourceEncryptionContext"],
        )
        return self.encrypt(
            KeyId=given["DestinationKeyId"],
            Plaintext=opened["Plaintext"],
            EncryptionContext=given["DestinationEncryptionContext"],
        )

    def schedule_key_deletion(self, *, KeyId, PendingWindowInDays):  # noqa: N803
        assert 7 <= PendingWindowInDays <= 30
        if KeyId in self.aliases:  # the real service takes no alias here
            raise _error("InvalidArnException", "ScheduleKeyDeletion")
        self._usable(KeyId, "ScheduleKeyDeletion")["state"] = "PendingDeletion"
