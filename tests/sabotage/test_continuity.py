"""Backups, broken: section 6."""

import dataclasses
import shutil

import pytest

from headshotly.audit.actor import SYSTEM
from headshotly.continuity import places, services
from headshotly.policy import configuration
from tests.continuity.conftest import backups, repositories  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture
def backed_up(backups):  # noqa: F811 - a fixture
    return services.back_up(actor=SYSTEM)


@pytest.mark.sabotage("backup_is_recent", "nothing was backed up for more than a day")
def test_an_old_backup(watch, backed_up, later) -> None:
    watch.is_content()
    later(hours=30)
    watch.is_broken("30 hours old")


@pytest.mark.sabotage("backup_is_recent", "every backup is gone")
def test_no_backup(watch, backups) -> None:  # noqa: F811 - a fixture
    watch.is_broken("There is no backup in any store")


@pytest.mark.sabotage("backup_is_recent", "a backup's list of contents rots in every store")
def test_a_rotten_backup(watch, backed_up, repositories) -> None:  # noqa: F811 - a fixture
    for folder in repositories.values():
        for path in (folder / "blobs").rglob("*"):
            if path.is_file():
                path.write_bytes(b"rot")
    watch.is_broken("missing or damaged")


@pytest.mark.sabotage("backups_lie_apart", "one region loses its copy")
def test_one_region_burns(watch, backed_up, repositories) -> None:  # noqa: F811 - a fixture
    watch.is_content()
    shutil.rmtree(repositories["eu-north-1"])
    watch.is_broken("eu-north-1")


@pytest.mark.sabotage("backups_lie_apart", "the second store is moved to the United States")
def test_a_store_outside_the_union(watch, backups, settings, tmp_path) -> None:  # noqa: F811 - a fixture
    written = f"folder:{tmp_path / 'a'}@eu-central-1,folder:{tmp_path / 'b'}@us-east-1"
    settings.HEADSHOTLY = dataclasses.replace(configuration.current(), options={"backup.stores": written})
    places.rewire()
    watch.is_broken("us-east-1")
