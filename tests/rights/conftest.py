"""Requests for the suite: people with and without accounts, a DPO, the one clock."""

import datetime as dt
from uuid import uuid4

import pytest

from headshotly.audit.actor import Actor
from headshotly.policy import clock
from headshotly.rights import services
from headshotly.rights.services import Words
from headshotly.rights.states import Channel, Kind, Regime
from tests.accounts.conftest import _quick, customer, db_all, signed_in  # noqa: F401 - fixtures
from tests.audit.conftest import scratch_postgres  # noqa: F401 - fixture

DPO = Actor(kind="staff", id=uuid4(), role="dpo")
OTHER_DPO = Actor(kind="staff", id=uuid4(), role="dpo")


@pytest.fixture
def at(monkeypatch):
    """Set the one clock to a moment."""

    def put(text: str) -> None:
        moment = dt.datetime.fromisoformat(text)
        monkeypatch.setattr(clock, "now", lambda: moment)

    return put


def ask(person, kind: Kind = Kind.CORRECT, *, regime: Regime = Regime.EITHER, text: str = "It is wrong."):
    return services.receive(
        actor=person.actor, kind=kind, regime=regime, channel=Channel.ACCOUNT, words=Words(text=text), subject=person.id
    ).request
