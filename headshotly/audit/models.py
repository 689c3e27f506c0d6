"""The journal's tables: two outboxes, the sequenced entries, the tree, the signed heads."""

from django.db import models


class _Outbox(models.Model):
    """An entry waiting to be sequenced. Rows are moved, never marked."""

    id = models.BigAutoField(primary_key=True)
    entry_id = models.UUIDField(unique=True)
    leaf = models.BinaryField()
    sealed_details = models.BinaryField(default=b"")
    tag = models.BinaryField()

    class Meta:
        abstract = True


class PendingEntry(_Outbox):
    """Written in the transaction of the act it records: both happen or neither does."""


class Disclosure(_Outbox):
    """Written and committed on the ``journal`` connection before a key is unwrapped."""


class Entry(models.Model):
    """One sequenced entry; ``leaf`` is what counts, the columns beside it are for finding it."""

    index = models.BigIntegerField(primary_key=True)
    entry_id = models.UUIDField(unique=True)
    leaf = models.BinaryField()
    leaf_hash = models.BinaryField()
    sealed_details = models.BinaryField(default=b"")
    subject = models.UUIDField(null=True)
    act = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["subject", "index"], name="entry_subject"),
            models.Index(fields=["act", "index"], name="entry_act"),
        ]


class DamagedEntry(models.Model):
    """A waiting row that was not as its writer left it; kept as it was found, its finding is an entry."""

    digest = models.BinaryField(primary_key=True, max_length=32)
    reason = models.TextField()
    entry_id = models.UUIDField()
    leaf = models.BinaryField()
    sealed_details = models.BinaryField(default=b"")
    found_at = models.DateTimeField()


class Subtree(models.Model):
    """The hash of one complete subtree of the Merkle tree."""

    level = models.SmallIntegerField()
    position = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "position"], name="subtree_place")]


class SignedHead(models.Model):
    """A checkpoint over the first ``size`` entries, as a signed note."""

    size = models.BigIntegerField(primary_key=True)
    note = models.TextField()
    signed_at = models.DateTimeField()
