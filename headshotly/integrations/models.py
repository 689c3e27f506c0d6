"""Tokens, kept answers, allowances, endpoints and what was delivered to them; nothing a person wrote is readable."""

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models

from headshotly.vault.fields import SealedTextField
from headshotly.vendors.posting import Posted

TOKEN_NAME, KEPT_ANSWER = "integrations.token-name", "integrations.answer"
WEBHOOK_URL, WEBHOOK_SECRET = "integrations.webhook-url", "integrations.webhook-secret"  # pragma: allowlist secret


class AccessToken(models.Model):
    """A customer's token for a program of theirs. Only its hash is kept, and its last letters to tell it by."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(db_index=True)
    token_sha256 = models.BinaryField(max_length=32, unique=True)
    tail = models.CharField(max_length=4)
    name = SealedTextField(label=TOKEN_NAME)
    scopes = models.JSONField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class KeptAnswer(models.Model):
    """What a request with an idempotency key was answered, for whoever sends it again.

    ``key_index`` and ``request_index`` are blinded: neither the key nor anything of the request can be read or guessed.
    Without an answer the request is being worked on, by ``holder``. ``work_id`` is the id of what it makes, whoever
    does it and however often it is begun.
    """

    key_index = models.BinaryField(primary_key=True, max_length=32)
    subject = models.UUIDField(db_index=True)
    request_index = models.BinaryField(max_length=32)
    holder = models.UUIDField()
    work_id = models.UUIDField(null=True)  # rows of a version before have none
    begun_at = models.DateTimeField(db_index=True)
    answer = SealedTextField(null=True, label=KEPT_ANSWER)


class Allowance(models.Model):
    """How many requests a customer's programs made since ``began_at``."""

    subject = models.UUIDField(primary_key=True)
    began_at = models.DateTimeField(db_index=True)
    used = models.PositiveIntegerField(default=0)


class WebhookEndpoint(models.Model):
    """An address that a customer wants to be told things at, and the secret both sides know.

    One message is under way to it at a time. ``not_before``: until then it is somebody's turn, or it rests because it
    did not answer. ``taken_at``: when it last took a message. ``failing_since``: when it began to take none.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(db_index=True)
    url = SealedTextField(label=WEBHOOK_URL)
    secret = SealedTextField(label=WEBHOOK_SECRET)
    events = models.JSONField()
    registered_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)


class WebhookDelivery(Posted):
    """One message to one endpoint; its id is the message's, whichever time it is sent.

    ``about`` is the shoot, the export or the seat it tells of; the message holds nothing but that id, the
    event and the time.
    """

    FIRST_PAUSE: ClassVar[dt.timedelta] = dt.timedelta(minutes=1)
    ATTEMPTS_MAX: ClassVar[int] = 11  # about 17 hours in all
    CLAIMED_FOR: ClassVar[dt.timedelta] = dt.timedelta(minutes=2)  # a try takes half a minute at most

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="+")
    subject = models.UUIDField(db_index=True)
    event = models.CharField(max_length=24)
    about = models.UUIDField()
    happened_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    answered = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event", "about", "happened_at"], name="told_once_an_endpoint"),
        ]
        indexes = [models.Index(fields=["state", "next_at"], name="webhook_queue")]


class Trouble(models.TextChoices):
    """What is the matter with an endpoint."""

    GONE = "gone", "It answered that it is gone for good"
    SILENT = "silent", "It took nothing for most of a day"
    CHOOSY = "choosy", "It takes messages, but one of them it refused for most of a day"


class WebhookTrouble(Posted):
    """An endpoint's bad time, with the one mail that tells its owner of it.

    It begins when a message is given up and ends when the owner says so. While one is open that is not ``choosy``, the
    endpoint is paused: its messages wait.
    """

    # Without a constraint, which would lock the endpoints while the service runs; Django removes both together.
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    subject = models.UUIDField(db_index=True)
    what = models.CharField(max_length=8, choices=Trouble.choices)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=models.Q(ended_at__isnull=True), name="one_trouble_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["state", "next_at"], name="webhook_trouble_queue")]
