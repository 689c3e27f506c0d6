"""A vault of its own for each test, with every engine in a temporary folder."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headshotly.audit.actor import Actor
from headshotly.audit.leaf import Leaf, decode
from headshotly.audit.models import Disclosure, PendingEntry
from headshotly.policy.configuration import Configuration
from headshotly.vault import minting, services, wiring, wrapped_keys
from headshotly.vault.warrant import Warrant

DATABASES = ["default", "journal", "keys"]
# As they are before a test puts something else in their place.
ENGINES = (wiring.key_service, wiring.key_store, wiring.object_store, wiring.erasure_ledger)


def rewire() -> None:
    for engine in ENGINES:
        engine.cache_clear()
    wrapped_keys.flush()


@pytest.fixture
def configure(settings, tmp_path: Path) -> Iterator[Callable[..., Configuration]]:
    """Wire the vault anew with some choices changed."""

    def wire(**choices) -> Configuration:
        settings.HEADSHOTLY = dataclasses.replace(settings.HEADSHOTLY, data_folder=tmp_path / "data", **choices)
        rewire()
        return settings.HEADSHOTLY

    yield wire
    rewire()


@pytest.fixture
def vault(configure) -> Configuration:
    """The default engines in an empty folder."""
    return configure()


@pytest.fixture
def subject(vault: Configuration) -> uuid.UUID:
    """A customer with a key."""
    pseudonym = uuid.uuid4()
    services.create_customer_key(actor=Actor(kind="customer", id=pseudonym), subject=pseudonym)
    return pseudonym


@pytest.fixture
def owner(subject: uuid.UUID) -> Actor:
    return Actor(kind="customer", id=subject)


@pytest.fixture
def warrant(owner: Actor, subject: uuid.UUID) -> Warrant:
    """A genuine warrant of the owner."""
    return minting.mint(
        actor=owner, subject=subject, purpose="owner-view", basis="session:test", valid_for=dt.timedelta(minutes=5)
    )


@pytest.fixture
def journal() -> Callable[[], list[Leaf]]:
    """Everything written to the journal so far, both outboxes."""

    def read() -> list[Leaf]:
        rows = [*PendingEntry.objects.order_by("id"), *Disclosure.objects.order_by("id")]
        return sorted((decode(bytes(row.leaf)) for row in rows), key=lambda leaf: leaf.occurred_at)

    return read
