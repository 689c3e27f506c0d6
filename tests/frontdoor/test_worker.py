"""Workers die, halt and are told to end, as real processes: no job is lost, none doubled, nothing left lying about."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from headshotly.frontdoor.broker import DELIVERIES_MAX
from tests import aws_server, redis_server

REPOSITORY = Path(__file__).resolve().parents[2]
CLEAN = (
    "doubled",
    "rows_without_name",
    "names_without_row",
    "files_without_name",
    "names_without_file",
    "leases",
    "announcements",
)


SCENES = ("plain", "halted", "halted-fails", "poison", "terminated", "killed-1", "killed-2")
SCENES_ON_REDIS = ("terminated", "killed-1")
SCENES_ON_SQS = ("killed-1",)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a data folder and databases of their own, in which one play follows the other."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
        "HEADSHOTLY_ENVIRONMENT": "test",
        "HEADSHOTLY_DATA": str(tmp_path_factory.mktemp("arena") / "data"),
    }
    url = os.environ.get("HEADSHOTLY_DATABASE_URL", "")
    if not url:
        yield environment
        return
    name = f"arena_{uuid.uuid4().hex[:12]}"
    databases = [name, f"{name}_keys"]
    _on_server(url, *(f"CREATE DATABASE {each}" for each in databases))
    environment["HEADSHOTLY_DATABASE_URL"] = urlsplit(url)._replace(path=f"/{name}").geturl()
    environment.pop("HEADSHOTLY_KEYS_DATABASE_URL", None)
    yield environment
    _on_server(url, *(f"DROP DATABASE {each} WITH (FORCE)" for each in databases))


@pytest.fixture(scope="module")
def scenes(place) -> dict[str, dict]:
    """What was left after each scene of ``arena.py``."""
    return play(place, SCENES)


@pytest.fixture(scope="module")
def scenes_on_redis(place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """The same, where orders come through a Redis server."""
    with redis_server.running(tmp_path_factory.mktemp("redis")) as url:
        return play(place, SCENES_ON_REDIS, QUEUE__ENGINE="redis", QUEUE__URL=url)


@pytest.fixture(scope="module")
def scenes_on_sqs(place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """The same, where orders come through SQS, which moto plays for all processes."""
    with aws_server.running(tmp_path_factory.mktemp("aws")) as aws:
        url, dead = aws.queue(deliveries_max=DELIVERIES_MAX)
        return play(
            {**place, **aws.environment}, SCENES_ON_SQS, QUEUE__ENGINE="sqs", QUEUE__URL=url,
            QUEUE__DEAD_URL=dead, QUEUE__ENDPOINT=aws.url, QUEUE__REGION=aws_server.REGION,
        )  # fmt: skip


def play(place: dict[str, str], scenes: tuple[str, ...], **options: str) -> dict[str, dict]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.frontdoor.arena", *scenes],
        cwd=REPOSITORY,
        env={**place, **{f"HEADSHOTLY_OPTION_{name}": value for name, value in options.items()}},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["vendor"] == ("postgresql" if "HEADSHOTLY_DATABASE_URL" in place else "sqlite")
    return result


def _on_server(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        for statement in statements:
            server.execute(statement.encode())


def assert_all_made(result: dict) -> None:
    assert set(result["states"]) == {"done"}, result
    assert set(result["tasks"]) == {"SUCCESSFUL"}, result
    assert result["made"] == result["expected"], result
    assert result["journal_made"] == result["expected"], "one journal entry a headshot, as one row"
    assert result["journal_started"] == result["journal_finished"] == len(result["states"])
    assert {name: result[name] for name in CLEAN} == dict.fromkeys(CLEAN, 0)


def test_without_our_lease_a_killed_workers_job_is_lost(scenes) -> None:
    """The reason for all of this, kept as a test: should the library learn it, ADR 0050 can be closed."""
    result = scenes["plain"]
    assert result["tasks"] == ["RUNNING"]
    assert result["states"] == ["running"]
    assert result["missing"] > 0


@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_job_is_neither_lost_nor_doubled_however_often_workers_are_killed(scenes, seed) -> None:
    result = scenes[f"killed-{seed}"]
    assert result["kills"] >= 5, "the work was over before anybody could be killed"
    assert_all_made(result)
    told = result["told"]
    assert told["finished"] == len(result["tasks"])
    # Whoever is killed between a claim and its lease took nothing yet, but its task is put back all the same.
    assert told["taken"] >= told["finished"] + 1
    assert told["put-back"] >= told["taken"] - told["finished"]


@pytest.mark.parametrize("scene", ["halted", "halted-fails"])
def test_a_halted_worker_cannot_end_what_another_took_over(scenes, scene) -> None:
    result = scenes[scene]
    assert result["before"] == 2
    assert_all_made(result)
    assert result["told"] == {"taken": 2, "put-back": 1, "finished": 1, "lease-lost": 1}
    assert result["swept_unnamed"] == 0, "it throws away what it made too late by itself"


def test_a_poisonous_job_ends_in_plain_words_and_holds_nobody_up(scenes) -> None:
    result = scenes["poison"]
    assert result["deaths"] == 3
    assert (result["told"]["given-up"], result["told"]["finished"], result["told"]["taken"]) == (1, 1, 4)
    assert result["states"] == ["done", "failed"]
    assert result["tasks"] == ["FAILED", "SUCCESSFUL"]
    assert any("several times" in sentence for sentence in result["sentences"])
    assert {name: result[name] for name in CLEAN} == dict.fromkeys(CLEAN, 0)


def test_a_worker_told_to_end_does_so_at_once_and_loses_nothing(scenes) -> None:
    result = scenes["terminated"]
    assert (result["status"], result["status_idle"]) == (0, 0)
    assert result["seconds"] < 3
    assert result["told"] == {"taken": 2, "returned": 1, "finished": 1}
    assert result["after"]["rows"] == ["READY"], "the rest of the job is in the queue again, without waiting"
    assert result["after"]["made"] < result["expected"]
    assert_all_made(result)


def test_the_same_holds_where_orders_come_through_a_broker(scenes_on_redis) -> None:
    for scene in SCENES_ON_REDIS:
        assert_all_made(scenes_on_redis[scene])
    assert scenes_on_redis["killed-1"]["kills"] >= 5
    assert scenes_on_redis["terminated"]["seconds"] < 3
    assert scenes_on_redis["terminated"]["after"]["rows"] == ["READY"]


def test_the_same_holds_where_orders_come_through_sqs(scenes_on_sqs) -> None:
    assert_all_made(scenes_on_sqs["killed-1"])
    assert scenes_on_sqs["killed-1"]["kills"] >= 5
    assert scenes_on_sqs["killed-1"]["told"]["put-back"] >= 1, "nobody was killed with a job in hand"
