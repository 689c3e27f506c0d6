"""A detector over its own rules, and events to feed it."""

import datetime as dt
from uuid import UUID, uuid4

import pytest

from headshotly.incidents import rulebook, spool
from headshotly.incidents.detecting import Detector
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import LogSource
from tests.accounts.conftest import _quick, customer, db_all  # noqa: F401 - fixtures
from tests.audit.conftest import scratch_postgres  # noqa: F401 - fixture

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
PLAIN = LogSource("test", "test", "test")


def seen(number: int = 0, *, at: float = 0.0, source: str = "test", **fields) -> Observation:
    """Return an observation with these fields, so many seconds after noon."""
    moment = NOON + dt.timedelta(seconds=at)
    return Observation(
        source=source,
        native_id=f"{number}-{at}-{sorted(fields.items())}",
        occurred_at=moment,
        log_source=PLAIN,
        fields=fields,
        ocsf={"class_uid": 0, "severity_id": 1},
        raw=b"{}",
        actor=str(fields.get("actor", "")),
    )


@pytest.fixture(scope="session")
def own_book() -> rulebook.Rulebook:
    return rulebook.load([rulebook.OWN])


@pytest.fixture
def detector(own_book: rulebook.Rulebook) -> Detector:
    return Detector(own_book)


@pytest.fixture(autouse=True)
def _fresh_spool():
    """Writers hold files of a folder that each test empties."""
    yield
    for writer in spool._WRITERS.values():
        writer.close()
    spool._WRITERS.clear()


def some_id() -> UUID:
    return uuid4()
