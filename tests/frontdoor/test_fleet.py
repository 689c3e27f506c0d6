"""Two web processes behind a load balancer and two workers: kill any of them under load, and nobody loses anything."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import aws_server, redis_server, s3_server

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> dict:
    """What was left after ``fleet.py``, beside a PostgreSQL, a Redis and an S3 server of its own and a played KMS."""
    folder, stored = tmp_path_factory.mktemp("fleet"), tmp_path_factory.mktemp("s3")
    with (
        redis_server.running(folder) as url,
        s3_server.running(stored, "objects", tls=aws_server.keys_for(folder)) as objects,
        aws_server.running(folder) as aws,
    ):
        environment = {
            **os.environ,
            **aws.environment,
            "HEADSHOTLY_OBJECT_STORE": "s3",
            "HEADSHOTLY_OPTION_S3__BUCKET": "objects",
            "HEADSHOTLY_OPTION_S3__ENDPOINT": objects,
            "HEADSHOTLY_KEY_SERVICE": "aws-kms",
            "HEADSHOTLY_OPTION_KMS__ENDPOINT": aws.url,
            "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
            "HEADSHOTLY_ENVIRONMENT": "test",
            "HEADSHOTLY_DATA": str(folder / "data"),
            "HEADSHOTLY_MAIL": str(folder / "mail"),
            "HEADSHOTLY_KEY_STORE": "database",
            "HEADSHOTLY_OPTION_QUEUE__ENGINE": "redis",
            "HEADSHOTLY_OPTION_QUEUE__URL": url,
            "HEADSHOTLY_OPTION_PROXIES__TRUSTED": "127.0.0.0/8",
        }
        environment.pop("HEADSHOTLY_KEYS_DATABASE_URL", None)
        photo = shared / "photos" / "good" / "senate_mazie-hirono.jpg"
        done = subprocess.run(
            ["sh", "setup/postgres.sh", sys.executable, "-m", "tests.frontdoor.fleet", str(folder), str(photo)],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict = json.loads(done.stdout.splitlines()[-1])
    found["objects_on_s3"] = sum(path.is_file() for path in (stored / "objects").rglob("*"))
    found["files_in_the_data_folder"] = len(list((folder / "data").rglob("*.sealed")))
    assert found["vendor"] == "postgresql"
    return found


def test_each_kind_was_killed_while_customers_worked(result) -> None:
    assert len(result["kills"]) == 6
    assert all(times >= 1 for times in result["kills"].values()), result["kills"]
    assert result["photos"] >= 3
    assert result["shoots"] >= 3
    assert result["taken_over"] >= 1, "no worker was killed with a task in its hands"


def test_every_acknowledged_upload_is_there_and_no_job_failed(result) -> None:
    assert result["people"] == [0, 0, 0], "every customer came to the end"
    assert result["photos_lost"] == result["shoots_lost"] == result["shoots_open"] == 0, result
    assert result["ended"] == result["shoots"]
    assert result["shoot_states"] == ["done"]
    assert result["tasks"] == ["SUCCESSFUL"]
    assert result["headshots_missing"] == result["headshots_doubled"] == 0


def test_pictures_lie_on_the_object_store_and_nowhere_else(result) -> None:
    assert result["objects_on_s3"] >= 2 * result["photos"] + result["made"]
    assert result["files_in_the_data_folder"] == 0


def test_no_journal_entry_is_lost(result) -> None:
    assert result["journal_entries"] == result["entries"]
    assert result["journal_made"] == result["made"]
    assert result["journal_photos"] == result["photos_kept"]


def test_sessions_go_on_at_the_other_web_process(result) -> None:
    assert result["signed_out"] == 0


def test_a_web_process_told_to_end_fails_nobody(result) -> None:
    assert result["web_ended"] == 0
    assert result["trouble_while_ending"] == []
    assert result["answered_while_ending"] >= 3
    assert set(result["stopped"].values()) == {0}, result["stopped"]
