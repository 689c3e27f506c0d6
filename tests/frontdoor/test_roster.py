"""Duties: done when due, once across machines, and again after a death."""

import datetime as dt
import threading
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from django.db import connections

from headshotly.frontdoor import database_roles, loaded, roster
from headshotly.frontdoor.commands import duties as commands
from headshotly.frontdoor.models import DutyRecord
from headshotly.frontdoor.stopping import Stopping
from headshotly.policy import clock, duties
from headshotly.policy.refusal import Refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def declared(monkeypatch):
    """An empty list of duties, filled by the test."""
    mine: dict[str, duties.Duty] = {}
    monkeypatch.setattr(duties, "_DECLARED", mine)
    return mine


@pytest.fixture
def at(monkeypatch):
    """Set the clock."""

    def move(moment: dt.datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    return move


def test_a_duty_is_done_when_due_and_not_before(declared, at) -> None:
    done = []
    noon = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
    at(noon)

    @duties.duty("room.count", every=dt.timedelta(hours=1))
    def count() -> str:
        done.append(clock.now())
        return "Counted."

    assert roster.run_due() == ["room.count"]
    assert roster.run_due() == []
    at(noon + dt.timedelta(minutes=59))
    assert roster.run_due() == []
    at(noon + dt.timedelta(minutes=60))
    assert roster.run_due() == ["room.count"]
    assert len(done) == 2
    record = DutyRecord.objects.get(name="room.count")
    assert (record.succeeded, record.sentence, record.holder, record.held_until) == (True, "Counted.", "", None)


def test_a_duty_left_to_another_program_is_not_done_here(declared) -> None:
    for name in ("room.mine", "room.another-s"):
        duties.duty(name, every=dt.timedelta(hours=1))(lambda: "Done.")
    assert roster.run_due(but=("room.another-s",)) == ["room.mine"]
    assert not DutyRecord.objects.filter(name="room.another-s").exists()
    assert roster.run_due() == ["room.another-s"]
    roster.require_known(["room.mine"])
    with pytest.raises(Refusal, match="There is no duty “room"):
        roster.require_known(["room.mine", "room.nobody-s"])


def test_a_failing_duty_is_tried_again_soon_and_stops_nobody_else(declared, at) -> None:
    noon = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
    at(noon)

    @duties.duty("room.a-fails", every=dt.timedelta(days=1))
    def fails() -> str:
        raise OSError("a path that is nobody's business")

    @duties.duty("room.b-refuses", every=dt.timedelta(days=1))
    def refuses() -> str:
        raise Refusal("The store is full.", code="store.full")

    @duties.duty("room.c-works", every=dt.timedelta(days=1))
    def works() -> str:
        return "Done."

    assert roster.run_due() == ["room.a-fails", "room.b-refuses", "room.c-works"]
    sentences = dict(DutyRecord.objects.values_list("name", "sentence"))
    assert sentences == {
        "room.a-fails": "It failed (OSError).",
        "room.b-refuses": "The store is full.",
        "room.c-works": "Done.",
    }
    at(noon + roster.RETRY)
    assert roster.run_due() == ["room.a-fails", "room.b-refuses"]


def test_a_duty_of_a_dead_machine_is_taken_over_after_its_longest_time(declared, at) -> None:
    noon = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
    at(noon)

    @duties.duty("room.dies", every=dt.timedelta(minutes=1), longest=dt.timedelta(minutes=10))
    def dies() -> str:
        if clock.now() == noon:
            raise KeyboardInterrupt  # ends the process where it stands, as a kill would
        return "Done after all."

    with pytest.raises(KeyboardInterrupt):
        roster.run_due()
    at(noon + dt.timedelta(minutes=9))
    assert roster.run_due() == []
    at(noon + dt.timedelta(minutes=10))
    assert roster.run_due() == ["room.dies"]


@pytest.mark.django_db(transaction=True)
def test_of_many_machines_one_does_it(declared) -> None:
    done = []

    @duties.duty("room.once", every=dt.timedelta(hours=1))
    def once() -> str:
        done.append(threading.get_ident())
        return "Done."

    start = threading.Barrier(4)

    def machine() -> None:
        try:
            start.wait()
            roster.run_due()
        finally:
            connections.close_all()

    machines = [threading.Thread(target=machine) for _ in range(4)]
    for each in machines:
        each.start()
    for each in machines:
        each.join()
    assert len(done) == 1


def test_names_and_times_that_make_no_sense_are_refused(declared) -> None:
    duties.duty("room.verb", every=dt.timedelta(hours=1))(lambda: "")
    with pytest.raises(ValueError, match=r"room\.verb already"):
        duties.duty("room.verb", every=dt.timedelta(hours=1))(lambda: "")
    with pytest.raises(ValueError, match="more than nothing"):
        duties.duty("room.other", every=dt.timedelta(0))
    with pytest.raises(Refusal, match=r"no duty “room\.nothing”"):
        roster.run_due(names=("room.nothing",))


def test_the_command_does_a_duty_now_and_lists_them_all() -> None:
    from headshotly.frontdoor.commands.duties import duties as command

    now = CliRunner().invoke(command, ["now", "vault.sweep"])
    assert (now.exit_code, now.output) == (0, "vault.sweep: 0 deletions finished, 0 leftovers removed.\n")
    listed = CliRunner().invoke(command, ["list"]).output
    assert "vault.sweep" in listed
    assert "0 leftovers removed." in listed
    assert "studio.sweep" in listed


def test_the_command_fails_where_the_duty_did(declared) -> None:
    from headshotly.frontdoor.commands.duties import duties as command

    @duties.duty("room.fails", every=dt.timedelta(hours=1))
    def fails() -> str:
        raise OSError

    now = CliRunner().invoke(command, ["now", "room.fails"])
    assert (now.exit_code, now.stdout) == (1, "room.fails: It failed (OSError).\n")


@pytest.fixture
def told(monkeypatch):
    """What the command is told to stop by, with nothing else of a real start."""
    stop = Stopping()
    monkeypatch.setattr(commands, "Stopping", lambda: SimpleNamespace(on=lambda: stop))
    monkeypatch.setattr(commands, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(commands, "refuse_while_restoring", lambda: None)
    monkeypatch.setattr(database_roles, "require_separated", lambda: None)
    monkeypatch.setattr(loaded, "leave_to_itself", lambda: None)
    return stop


def test_nobody_is_called_late_because_a_backup_is_being_written(told, monkeypatch) -> None:
    seen, let_go = [], threading.Event()

    def run_due(*, slow, but):
        assert but == ("integrations.deliver",)
        seen.append(slow)
        if slow:
            assert let_go.wait(20)
        elif seen.count(False) == 3:
            told.tell()
            let_go.set()

    monkeypatch.setattr(roster, "run_due", run_due)
    monkeypatch.setattr(roster, "require_known", lambda _names: None)
    commands.run.callback(slow=None, but=("integrations.deliver",))
    assert (seen.count(True), seen.count(False)) == (1, 3)


@pytest.mark.parametrize("failing", [True, False])
def test_where_one_kind_ends_by_a_fault_the_program_ends_and_is_started_again(told, monkeypatch, failing) -> None:
    def run_due(*, slow, but):
        if slow == failing:
            raise MemoryError(f"of {but}")

    monkeypatch.setattr(roster, "run_due", run_due)
    with pytest.raises(MemoryError):
        commands.run.callback(slow=None, but=())
    assert told.is_told()


def test_what_may_take_minutes_is_not_done_in_turn_with_what_may_not_wait() -> None:
    kinds = {duty.name: duty.slow for duty in duties.declared()}
    assert [kinds[name] for name in ("proof.verify", "continuity.backup", "continuity.drill")] == [True, True, True]
    assert [kinds[name] for name in ("incidents.call", "incidents.letters", "integrations.deliver")] == [False] * 3
