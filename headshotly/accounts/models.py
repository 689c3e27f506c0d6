"""Customers: a pseudonym, sealed personal fields, and what signing in needs."""

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class CustomerManager(BaseUserManager["Customer"]):
    """Django's entry to customers; accounts are made by ``services.sign_up`` only."""


class Customer(AbstractBaseUser):
    """One customer. No column holds a readable name or address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email_sealed = models.BinaryField()
    email_index = models.BinaryField(unique=True, max_length=32)
    new_email_sealed = models.BinaryField(default=b"")
    new_email_index = models.BinaryField(default=b"", max_length=32)
    name_sealed = models.BinaryField()
    totp_sealed = models.BinaryField(default=b"")
    totp_last_step = models.BigIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    is_active = models.BooleanField(default=True)
    language = models.CharField(max_length=2, default="en")  # of the mails

    # Django wants a natural key; ours says nothing about the person.
    USERNAME_FIELD = "id"
    EMAIL_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = CustomerManager()

    def __str__(self) -> str:
        return str(self.id)


class SignInAttempt(models.Model):
    """Counts tries of one thing from one client, blinded; never locks out another client."""

    key = models.BinaryField(primary_key=True, max_length=32)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)


class PastPassword(models.Model):
    """A password (Argon2id) its owner used before and may not choose again."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    password = models.CharField(max_length=200)
    replaced_at = models.DateTimeField()


class RecoveryCode(models.Model):
    """A one-time code; only its keyed hash is kept."""

    index = models.BinaryField(primary_key=True, max_length=32)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    used_at = models.DateTimeField(null=True)


class Passkey(models.Model):
    """The public half of a customer's passkey."""

    credential_id = models.BinaryField(primary_key=True, max_length=1023)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField()
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)


class PasskeyChallenge(models.Model):
    """A challenge an authenticator may answer once, at either door; only its hash is kept."""

    challenge_sha256 = models.BinaryField(primary_key=True, max_length=32)
    ceremony = models.CharField(max_length=40)
    about = models.UUIDField(null=True)
    expires_at = models.DateTimeField(db_index=True)


class CustomerSession(AbstractBaseSession):
    """A browser's session. ``session_key`` is the hash of what the cookie holds; see ``sessions.py``."""

    subject = models.UUIDField(null=True, db_index=True)
    device = models.CharField(max_length=60, default="")
    started_at = models.DateTimeField(null=True)
