"""One suite for every engine of the queue: the database, SQS (played by moto) and a real Redis server.

What a task does happens once, whatever becomes of the orders that tell of it.
"""

import datetime as dt
import random
from dataclasses import replace
from uuid import UUID, uuid4

import boto3
import pytest
from click.testing import CliRunner
from django.db import transaction
from django_tasks_db.models import DBTaskResult
from moto import mock_aws

from headshotly.frontdoor import broker, duties, queueing, redis_broker, worker
from headshotly.frontdoor.broker import BrokerGone, Delivery
from headshotly.frontdoor.models import Announcement, TaskLease
from headshotly.incidents import containment
from headshotly.policy import clock
from headshotly.policy.refusal import Refusal
from headshotly.vendors import brokers
from tests import redis_server
from tests.frontdoor import chores

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    with redis_server.running(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def choose(settings):
    def choose(**options: str) -> None:
        kept = {key: value for key, value in settings.HEADSHOTLY.options.items() if not key.startswith("queue.")}
        settings.HEADSHOTLY = replace(
            settings.HEADSHOTLY, options={**kept, **{f"queue.{key}": value for key, value in options.items()}}
        )
        broker.forget()

    chores.done.clear()
    queueing._quiet["until"] = 0.0
    yield choose
    broker.forget()


@pytest.fixture
def use_redis(choose, redis_url):
    choose(engine="redis", url=redis_url, name=uuid4().hex)


@pytest.fixture
def use_sqs(choose, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        made = boto3.client("sqs", region_name="eu-north-1")
        dead = made.create_queue(QueueName="dead")["QueueUrl"]
        arn = made.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": "{broker.DELIVERIES_MAX}"}}'
        attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "120"}
        url = made.create_queue(QueueName="jobs", Attributes=attributes)["QueueUrl"]
        choose(engine="sqs", url=url, dead_url=dead, region="eu-north-1")
        yield


@pytest.fixture(params=["database", "sqs", "redis"])
def engine(request, choose):
    """Each engine in turn."""
    if request.param != "database":
        request.getfixturevalue(f"use_{request.param}")
    return request.param


@pytest.fixture(params=["sqs", "redis"])
def carrier(request):
    """Each broker in turn."""
    request.getfixturevalue(f"use_{request.param}")
    made = broker.current()
    assert made is not None
    return made


def work() -> None:
    """Let a worker do whatever waits, and stop."""
    leased = worker.LeasedWorker(batch=True, interval=0.01)
    leased._reap_until = lambda _over: None  # the thread would look at moved clocks and played brokers
    leased.run()


def statuses() -> list[str]:
    return sorted(DBTaskResult.objects.values_list("status", flat=True))


def orders(carrier) -> list[Delivery]:
    found = []
    while (delivery := carrier.receive(wait=0)) is not None:
        found.append(delivery)
    return found


def lose_orders(carrier) -> None:
    for delivery in orders(carrier):
        carrier.done(delivery)


# ── every engine ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_asked_for_is_done_once(engine) -> None:
    for mark in ("a", "b", "c"):
        chores.note.enqueue(mark)
    work()
    work()
    assert sorted(chores.done) == ["a", "b", "c"]
    assert statuses() == ["SUCCESSFUL"] * 3
    assert Announcement.objects.count() == TaskLease.objects.count() == 0
    assert queueing.counts().get("orders", 0) == 0


def test_a_failure_is_kept_and_shown(engine) -> None:
    chores.fall.enqueue("a")
    work()
    work()
    assert chores.done == ["a"]
    assert statuses() == ["FAILED"]
    from headshotly.frontdoor.commands.queue import queue

    said = CliRunner().invoke(queue, ["failed"])
    assert said.exit_code == 0, said.output
    assert "tests.frontdoor.chores.fall" in said.output
    assert "RuntimeError" in said.output
    assert "failed: 1" in CliRunner().invoke(queue).output


def test_what_was_rolled_back_is_never_done(engine) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        chores.note.enqueue("a")
        raise RuntimeError
    assert queueing.sweep() == 0
    assert queueing.counts().get("orders", 0) == 0
    work()
    assert chores.done == []


def test_what_waits_for_the_end_of_an_incident_is_done_after_it(engine, later, monkeypatch) -> None:
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", clock.now)
    chores.note.enqueue("a")
    monkeypatch.setattr(containment, "read_only", lambda: True)
    work()
    assert chores.done == []
    assert queueing.sweep() == 0, "it is not due, so no order is sent for it"
    monkeypatch.setattr(containment, "read_only", lambda: False)
    later(seconds=31)
    assert queueing.sweep() == (engine != "database")
    work()
    assert chores.done == ["a"]


def test_a_dead_workers_task_is_announced_again(engine, later) -> None:
    chores.note.enqueue("a")
    assert queueing.claim("a worker that died") is not None
    later(seconds=worker.LEASE.total_seconds() + 1)
    assert worker.reap() == 1
    assert queueing.sweep() == (engine != "database")
    work()
    assert chores.done == ["a"]


def test_a_task_told_to_stop_goes_back_with_a_new_order(engine) -> None:
    chores.stop_once.enqueue("a")
    leased = worker.LeasedWorker(interval=0.01)
    leased.run_task(queueing.claim(leased.worker_id))
    assert statuses() == ["READY"]
    assert Announcement.objects.count() == (engine != "database")
    work()
    assert chores.done == ["a", "a"]
    assert statuses() == ["SUCCESSFUL"]


# ── whatever a broker does ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_is_an_id_and_nothing_else(carrier) -> None:
    chores.note.enqueue("a name that must not leave")
    (order,) = orders(carrier)
    assert UUID(order.body) == DBTaskResult.objects.get().id


def test_the_same_order_many_times_in_any_order_is_done_once(carrier) -> None:
    marks = [f"{number}" for number in range(6)]
    for mark in marks:
        chores.note.enqueue(mark)
    bodies = [order.body for order in orders(carrier)] * 3
    random.Random(4).shuffle(bodies)
    for body in bodies:
        carrier.send(body)
    work()
    for body in bodies:  # and long after it is over
        carrier.send(body)
    work()
    assert sorted(chores.done) == marks


def test_an_order_without_a_row_is_harmless(carrier) -> None:
    """Sent, and the database rolled back; or sent by whoever can write to the queue."""
    carrier.send(str(uuid4()))
    chores.note.enqueue("a")
    work()
    assert chores.done == ["a"]
    assert carrier.waiting() == carrier.dead() == 0


def test_a_row_without_an_order_is_harmless(carrier, later) -> None:
    """Committed, and the order lost: it is announced again after twenty seconds, then after longer and longer."""
    chores.note.enqueue("a")
    lose_orders(carrier)
    assert queueing.sweep() == 0
    later(seconds=21)
    assert queueing.sweep() == 1
    lose_orders(carrier)
    later(seconds=21)
    assert queueing.sweep() == 0, "a long queue must not be doubled again and again"
    later(seconds=20)
    assert queueing.sweep() == 1
    assert queueing.sweep() == 0
    (order,) = orders(carrier)
    assert queueing.claim("worker", task_id=queueing.task_named(order)) is not None


def test_a_process_that_died_between_commit_and_order_is_made_up_for(carrier, monkeypatch) -> None:
    monkeypatch.setattr(queueing, "_announce_patiently", lambda _task_id: None)
    chores.note.enqueue("a")
    assert carrier.waiting() == 0
    assert duties.keep_queue().startswith("1 tasks announced again")
    assert carrier.waiting() == 1


@pytest.mark.parametrize("arrived", [False, True])
def test_a_broker_that_does_not_answer_keeps_nobody_from_asking(carrier, monkeypatch, arrived) -> None:
    """It did not happen; and it happened, but was reported as a failure."""
    real = type(carrier).send

    def send(self, body: str) -> None:
        if arrived:
            real(self, body)
        raise BrokerGone("played")

    with monkeypatch.context() as patched:
        patched.setattr(type(carrier), "send", send)
        chores.note.enqueue("a")
        chores.note.enqueue("b")
        assert queueing.sweep() == 0
    assert queueing.sweep() == 2
    work()
    assert sorted(chores.done) == ["a", "b"]
    assert carrier.waiting() == 0


def test_workers_look_into_the_database_while_the_broker_is_away(carrier, monkeypatch) -> None:
    chores.note.enqueue("a")

    def gone(self, *, wait: float) -> None:
        raise BrokerGone("played")

    with monkeypatch.context() as patched:
        patched.setattr(type(carrier), "receive", gone)
        work()
    assert chores.done == ["a"]
    work()
    assert chores.done == ["a"], "its order comes later, and finds nothing to do"


def test_a_broker_that_was_not_told_that_an_order_is_done_delivers_it_in_vain(carrier, monkeypatch) -> None:
    def gone(self, delivery: Delivery) -> None:
        raise BrokerGone("played")

    chores.note.enqueue("a")
    with monkeypatch.context() as patched:
        patched.setattr(type(carrier), "done", gone)
        work()
    assert chores.done == ["a"]
    assert carrier.waiting() == 1
    carrier.send(str(DBTaskResult.objects.get().id))
    work()
    assert chores.done == ["a"]


@pytest.mark.parametrize("body", ["not an order", "{}", "x" * 36, "../../etc/passwd"])
def test_an_order_that_is_none_comes_to_the_dead_letters_and_holds_nobody_up(carrier, body) -> None:
    carrier.send(body)
    chores.note.enqueue("a")
    for _ in range(broker.DELIVERIES_MAX + 1):
        work()
    assert chores.done == ["a"]
    assert carrier.dead() == 1
    assert carrier.waiting() == 0
    assert "1 dead letters" in duties.keep_queue()
    assert queueing.counts()["dead letters"] == 1


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_to_orders_each_task_is_done_once(carrier, later, seed) -> None:
    """Lost, doubled, shuffled; workers that die before and after telling the broker; sweeps in between."""
    dice = random.Random(seed)
    asked = 0
    for _ in range(40):
        match dice.randrange(6):
            case 0 | 1:
                chores.note.enqueue(str(asked))
                asked += 1
            case 2:
                bodies = [delivery.body for delivery in _taken(carrier)]
                kept = [body for body in bodies for _ in range(dice.choice([0, 1, 1, 3]))]
                dice.shuffle(kept)
                for body in kept:
                    carrier.send(body)
            case 3:
                delivery = carrier.receive(wait=0)
                if delivery is not None:
                    queueing.claim("dead", task_id=queueing.task_named(delivery))
                    if dice.random() < 0.5:
                        carrier.done(delivery)
            case 4:
                later(seconds=dice.choice([5, 25, 70]))
                worker.reap()
                queueing.sweep()
            case 5:
                leased = worker.LeasedWorker(batch=True)
                leased._take_order(carrier)
    later(hours=2)
    worker.reap()
    queueing.sweep()
    work()
    assert sorted(chores.done, key=int) == [str(number) for number in range(asked)]
    assert set(statuses()) <= {"SUCCESSFUL"}


def _taken(carrier) -> list[Delivery]:
    found = orders(carrier)
    for delivery in found:
        carrier.done(delivery)
    return found


# ── each broker's own ways ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_server_that_forgot_everything_is_begun_with_anew(use_redis, redis_url) -> None:
    carrier = broker.current()
    assert carrier is not None
    chores.note.enqueue("a")
    assert len(orders(carrier)) == 1
    brokers.client(redis_url).flushall()
    assert carrier.receive(wait=0) is None
    carrier.send("b")
    assert [order.body for order in orders(carrier)] == ["b"]


def test_what_a_dead_reader_had_comes_again(use_redis, monkeypatch) -> None:
    carrier = broker.current()
    assert carrier is not None
    carrier.send("a")
    assert carrier.receive(wait=0) is not None
    assert carrier.receive(wait=0) is None
    monkeypatch.setattr(redis_broker, "AGAIN_AFTER_MS", 0)
    again = carrier.receive(wait=0)
    assert again is not None
    assert again.body == "a"


def test_a_broker_that_is_away_says_so(choose) -> None:
    choose(engine="redis", url="redis://127.0.0.1:1/0")
    carrier = broker.current()
    assert carrier is not None
    for act in (lambda: carrier.send("a"), lambda: carrier.receive(wait=0), carrier.waiting, carrier.dead):
        with pytest.raises(BrokerGone):
            act()
    chores.note.enqueue("a")
    work()
    assert chores.done == ["a"]
    assert "does not answer" in duties.keep_queue()


@pytest.mark.parametrize("url", ["redis://queue.example:6379", "http://127.0.0.1", "rediss://", "unix:///tmp/x"])
def test_orders_go_nowhere_without_tls_but_to_this_machine(url) -> None:
    with pytest.raises(ValueError, match="rediss://"):
        brokers.client(url)


def test_a_server_on_no_register_gets_no_orders(choose, monkeypatch) -> None:
    from headshotly.vendors import gate
    from headshotly.vendors.errors import EgressRefused

    asked = []

    def require(host: str, **named) -> str:
        asked.append((host, named["carries"]))
        raise EgressRefused("nobody's")

    monkeypatch.setattr(gate, "require", require)
    choose(engine="redis", url="rediss://queue.example:6379")
    carrier = broker.current()
    assert carrier is not None
    with pytest.raises(BrokerGone):
        carrier.send("a")
    assert asked == [("queue.example", ("pseudonymous work orders and alerts",))]


def test_an_engine_that_there_is_none_of_is_refused(choose) -> None:
    choose(engine="carrier pigeon")
    with pytest.raises(Refusal, match="carrier pigeon"):
        broker.current()
    choose(engine="sqs")
    with pytest.raises(Refusal, match=r"queue\.url"):
        broker.current()


def test_marks_wait_longer_and_longer_but_not_for_ever(use_redis, later) -> None:
    chores.note.enqueue("a")
    for _ in range(12):
        later(hours=2)
        assert queueing.sweep() == 1
    assert Announcement.objects.get().again_at - clock.now() <= dt.timedelta(hours=1)
