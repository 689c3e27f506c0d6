"""Shared by every suite: clean folders, test photos, customers to work with."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.environment import FOLDER as _FOLDER

REPOSITORY = Path(__file__).resolve().parents[1]
# How long an example takes is the machine's business; no test is timed.
settings.register_profile("untimed", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def _shared_folder() -> Path | None:
    for candidate in (os.environ.get("HEADSHOTLY_SHARED"), REPOSITORY.parent / "shared"):
        if candidate and (Path(candidate) / "photos" / "good").is_dir():
            return Path(candidate)
    return None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the test photos and public rules; its absence is said, and fails in CI."""
    folder = _shared_folder()
    if folder is None:
        sentence = "test photos were not found: put them in ../shared or name their folder in HEADSHOTLY_SHARED"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return folder


@pytest.fixture(scope="session")
def good_photos(shared: Path) -> list[Path]:
    """Every photo that must give a usable headshot."""
    return sorted((shared / "photos" / "good").iterdir())


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(_FOLDER, ignore_errors=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """In CI a test that was skipped is a test that failed: nothing may look as if it had been seen."""
    outcome = yield
    report = outcome.get_result()
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["tests.quick_argon2.UnsafeQuickArgon2"]


@pytest.fixture(autouse=True)
def _outside_is_played(monkeypatch) -> None:
    """Moto and servers on this machine play the outside, so no vendor need be on the register for them.

    The process's own guard (``vendors.way_out``) stays in place in every test: a connection off this machine is refused.
    ``tests/vendors`` puts the real gate back.
    """
    from headshotly.vendors import gate

    monkeypatch.setattr(gate, "require", lambda _host, **_named: "played")


@pytest.fixture
def later(monkeypatch):
    """Move the one clock."""
    import datetime as dt

    from headshotly.policy import clock

    real, offset = clock.now, [dt.timedelta(0)]
    monkeypatch.setattr(clock, "now", lambda: real() + offset[0])

    def move(**by) -> None:
        offset[0] += dt.timedelta(**by)

    return move


@pytest.fixture(autouse=True)
def _in_english() -> None:
    """A request activates its visitor's language and leaves it to the thread; the next test begins in English."""
    from django.utils import translation

    translation.activate("en")


@pytest.fixture(autouse=True)
def _clean_folder() -> None:
    """Each test begins with an empty data folder and nothing remembered from the one before."""
    from headshotly.audit import keys, witnesses
    from headshotly.vault import wiring

    for path in (_FOLDER / "data").glob("*"):
        if path.is_dir():
            shutil.rmtree(path)
        elif "sqlite3" not in path.name and path.name != "secret-key":
            path.unlink()
    for name in ("mail", "witness"):
        shutil.rmtree(_FOLDER / name, ignore_errors=True)
    wiring.rewire()
    for module in (keys, witnesses):
        for thing in vars(module).values():
            if hasattr(thing, "cache_clear"):
                thing.cache_clear()


ALL_DATABASES = ["default", "journal", "keys"]
PASSWORD = "vier gruene Wolken 1983"


class Person:
    """A signed-up, confirmed, consenting customer, and the acts that need one."""

    def __init__(self, subject, email: str) -> None:
        from headshotly.audit.actor import Actor

        self.id = subject
        self.email = email
        self.actor = Actor(kind="customer", id=subject)

    def warrant(self, purpose: str = "view"):
        from headshotly.access.warrants import owner_warrant

        return owner_warrant(customer_id=self.id, session_key="session", purpose=purpose)


@pytest.fixture
def make_person(transactional_db):
    """Make customers through the front of the accounts room."""
    from headshotly.accounts import links, services
    from headshotly.accounts.models import Customer
    from headshotly.audit.actor import VISITOR
    from headshotly.purposes import services as purposes
    from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text

    def make(email: str = "ada@example.org", *, consent: bool = True) -> Person:
        known = set(Customer.objects.values_list("id", flat=True))
        services.sign_up(actor=VISITOR, email=email, password=PASSWORD, name="Ada Example")
        customer = Customer.objects.exclude(id__in=known).get()
        services.confirm(token=links.make(customer, "confirm"), password=PASSWORD)
        person = Person(customer.id, email)
        if consent:
            version = current_text(HEADSHOT_GENERATION).version
            purposes.give_consent(actor=person.actor, subject=person.id, activity=HEADSHOT_GENERATION, version=version)
        return person

    return make


@pytest.fixture
def person(make_person) -> Person:
    return make_person()
