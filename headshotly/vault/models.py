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

    class Meta:
        indexes = [models.Index(fields=["kind", "sealed_at"], name="object_kind_sealed")]


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


class StorePeriod(models.Model):
    """Which store kept sealed objects from when to when; the receipt *Where my photos went* is read off it."""

    id = models.BigAutoField(primary_key=True)
    store = models.CharField(max_length=200)
    vendor = models.CharField(max_length=120)
    region = models.CharField(max_length=60)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Of the open periods at most one: “is it over?” is the same “no” for each of them.
            models.UniqueConstraint(
                models.ExpressionWrapper(models.Q(until__isnull=True), output_field=models.BooleanField()),
                condition=models.Q(until__isnull=True),
                name="one_store_at_a_time",
            ),
        ]
