"""Argon2id at a cost for tests: the same algorithm, a thousandth of the work."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class UnsafeQuickArgon2(Argon2PasswordHasher):
    """Unsafe outside tests: guessing is cheap."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1
