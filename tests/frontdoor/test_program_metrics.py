"""What worker, sequencer, detector and duties tell Prometheus of themselves, and to whom."""

import dataclasses
import socket
import urllib.request
from pathlib import Path

import pytest
import yaml

from headshotly.frontdoor import program_metrics, roster
from headshotly.frontdoor.worker import LeasedWorker
from headshotly.policy.refusal import Refusal
from tests.frontdoor import chores
from tests.frontdoor.test_metrics import families


def _told(program: str, configured) -> dict:
    """Start a program's listener on a free port, ask it, and return the families by name."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configured(**{"metrics.listen": "127.0.0.1", "metrics.port": str(port - program_metrics.PROGRAMS.index(program))})
    program_metrics.listen(program)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return families(answer.read().decode())


@pytest.fixture
def configured(settings):
    def configure(**options: str) -> None:
        here = settings.HEADSHOTLY
        settings.HEADSHOTLY = dataclasses.replace(here, options={**here.options, **options})

    return configure


@pytest.mark.django_db(databases="__all__", transaction=True)
@pytest.mark.parametrize(
    ("program", "own", "not_its"),
    [
        ("worker", "headshotly_queue_jobs", "headshotly_journal_waiting_entries"),
        ("sequencer", "headshotly_journal_checkpoint_age_seconds", "headshotly_queue_jobs"),
        ("detector", "headshotly_detector_behind_entries", "headshotly_shoots"),
        ("slow-duties", "headshotly_clauses", ""),
    ],
)
def test_a_program_tells_what_it_does_and_what_it_works_on(program, own, not_its, configured):
    program_metrics.saw_step(program, taken=3)
    program_metrics.saw_job("headshotly.studio.tasks.make_shoot", "failed", 2.0)
    program_metrics.saw_duty("vault.sweep", succeeded=False, seconds=0.2)
    found = _told(program, configured)
    assert own in found
    assert not_its not in found
    assert {"headshotly_jobs", "headshotly_steps", "headshotly_entries", "headshotly_duties"} <= set(found)
    names = {sample.labels["task"] for sample in found["headshotly_jobs"].samples if "task" in sample.labels}
    assert "make_shoot" in names
    assert all(sample.value == 0 for sample in found["headshotly_part_unreadable"].samples)


def test_nobody_listens_unless_an_address_is_named_and_a_taken_port_stops_no_work(configured, caplog):
    configured(**{"metrics.port": "nonsense"})
    program_metrics.listen("worker")  # without an address not even the port is read
    configured(**{"metrics.listen": "127.0.0.1"})
    with pytest.raises(Refusal, match="is no port"):
        program_metrics.listen("worker")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        configured(**{"metrics.port": str(taken.getsockname()[1])})
        program_metrics.listen("worker")
    assert "metrics.no-port" in caplog.text


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_a_worker_counts_ends_of_jobs_and_duties_are_counted():
    def ends() -> dict:
        return {
            tuple(sample.labels.values()): sample.value
            for metric in (program_metrics.JOBS, program_metrics.DUTIES)
            for family in metric.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        }

    before = ends()
    chores.note.enqueue("counted")
    chores.fall.enqueue("counted")
    LeasedWorker(batch=True, interval=0.01).run()
    roster.run_due(names=("vault.sweep",))
    after = ends()
    grown = {labels for labels, value in after.items() if value > before.get(labels, 0.0)}
    assert ("vault.sweep", "done") in grown
    assert {("note", "finished"), ("fall", "failed")} <= grown


def test_the_collector_asks_where_the_programs_listen():
    text = (Path(__file__).resolve().parents[2] / "infra" / "prometheus" / "scrape.yml").read_text(encoding="utf-8")
    found = {job["job_name"]: job for job in yaml.safe_load(text)["scrape_configs"]}
    assert found.pop("headshotly-web")["metrics_path"] == "/api/metrics/"
    ports = {
        name.removeprefix("headshotly-"): {int(one.rpartition(":")[2]) for one in job["static_configs"][0]["targets"]}
        for name, job in found.items()
    }
    assert ports == {name: {program_metrics.FIRST_PORT + at} for at, name in enumerate(program_metrics.PROGRAMS)}
