"""What is sealed and where; never what it says."""

import uuid

from django.db import models


class StoredObject(models.Model):
    """One sealed object. The row says it exists; the store keeps its bytes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=32)
    purpose = models.CharField(max_length=64)
    sealed_bytes = models.BigIntegerField()
    sealed_at = models.DateTimeField()


class WrappedCustomerKey(models.Model):
    """A customer key under the root key, in the ``keys`` database."""

    subject = models.UUIDField(primary_key=True)
    blob = models.BinaryField()


class KeyHold(models.Model):
    """Somebody's keys are not used for the time being; the pseudonym of all zeros stands for everybody's."""

    subject = models.UUIDField(primary_key=True)
    held_at = models.DateTimeField()
    held_by = models.UUIDField(null=True)
    because = models.CharField(max_length=300)


class DeletionReceipt(models.Model):
    """What was deleted of a customer, signed; kept so that a crash after deleting cannot lose it. Holds ids only."""

    subject = models.UUIDField(primary_key=True)
    document = models.JSONField()
    issued_at = models.DateTimeField()
