"""Shared by every suite: a data folder of its own for each run, and the test photos."""

import os
import shutil
import tempfile
from pathlib import Path

# Before Django reads its settings: nothing of a test run may touch the developer's own data.
_FOLDER = Path(tempfile.mkdtemp(prefix="headshotly-test-"))
os.environ["HEADSHOTLY_ENVIRONMENT"] = "test"
os.environ["HEADSHOTLY_DATA"] = str(_FOLDER / "data")
os.environ["HEADSHOTLY_MAIL"] = str(_FOLDER / "mail")

import pytest  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[1]


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
