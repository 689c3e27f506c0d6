"""Customers: a pseudonym, sealed personal fields, and what signing in needs."""

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class CustomerManager(BaseUserManager["Customer"]):
    """Django's entry to customers; accounts are made by ``services.sign_up`` only."""


class Customer(AbstractBaseUser):
    """One customer. No column holds a readable name or address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email_sealed = models.BinaryField()
    email_index = models.BinaryField(unique=True, max_length=32)
    name_sealed = models.BinaryField()
    confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    is_active = models.BooleanField(default=True)

    # Django wants a natural key; ours says nothing about the person.
    USERNAME_FIELD = "id"
    EMAIL_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = CustomerManager()


class SignInAttempt(models.Model):
    """Counts failures for one address from one client, both blinded; never locks out another client."""

    key = models.BinaryField(primary_key=True, max_length=32)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
