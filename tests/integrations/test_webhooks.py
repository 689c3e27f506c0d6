"""Endpoints and what they are told: one suite for files and for HTTPS; failed both ways, sent again, never twice."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest
from click.testing import CliRunner
from django.db import Error as DatabaseFailure

from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.frontdoor.commands.sender import sender
from headshotly.incidents import containment
from headshotly.integrations import delivering, signing, troubles, webhooks
from headshotly.integrations.errors import WebhookRefused
from headshotly.integrations.models import WebhookDelivery, WebhookEndpoint
from headshotly.policy import clock, configuration
from headshotly.rights import retention
from headshotly.rights import tasks as rights_tasks
from headshotly.studio import tasks
from headshotly.vendors import closures, https
from headshotly.vendors.posting import PostState
from tests.integrations.conftest import assert_problem, keep_photo, program_of
from tests.integrations.test_endpoints import acts

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
URL = "https://hooks.example.org/secret-path"


@pytest.fixture
def endpoint(person):
    """An endpoint that wants everything, and its secret."""
    return webhooks.register(actor=person.actor, subject=person.id, url=URL, events=sorted(webhooks.EVENTS))


@pytest.fixture
def outside(settings):
    here = configuration.current()
    settings.HEADSHOTLY = replace(here, options={**here.options, "webhooks.outside": "yes"})


@pytest.fixture
def play(monkeypatch, outside):
    """What the endpoint says, try after try: a number is its status, an error is what happened instead."""
    got = []

    def begin(*answers):
        left = list(answers)

        def request(method, url, *, body, headers, at_request_of, answer_bytes_max):
            got.append((method, url, body, dict(headers), at_request_of))
            answer = left.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return https.Answer(answer, b"whatever")

        monkeypatch.setattr(https, "request", request)
        return got

    return begin


def files() -> list[dict]:
    folder = configuration.current().mail_folder / "customers-webhooks"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def announce(person, event=webhooks.JOB_DONE):
    webhooks.announce(subject=person.id, event=event, about=uuid4())


def only() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def test_a_local_installation_writes_a_signed_file_and_speaks_to_nobody(person, endpoint) -> None:
    announce(person)
    assert delivering.send_due() == 1
    [said] = files()
    now = int(clock.now().timestamp())
    assert signing.verify(secret=endpoint.secret, carried=said["headers"], body=said["body"].encode(), now=now)
    assert said["headers"]["webhook-id"] == str(only().id)
    assert "secret-path" not in json.dumps(said), "the path of an endpoint is a secret"
    assert (only().state, only().answered) == (PostState.SENT, 200)


def test_outside_it_goes_through_the_one_https_door_at_the_customers_request(person, endpoint, play) -> None:
    got = play(204)
    announce(person)
    assert delivering.send_due() == 1
    [(method, url, body, headers, subject)] = got
    assert (method, url, subject) == ("POST", URL, person.id)
    now = int(clock.now().timestamp())
    assert signing.verify(secret=endpoint.secret, carried=headers, body=body, now=now)


@pytest.mark.parametrize("trouble", [500, 302, 404, https.NoAnswer("gone"), https.AddressRefused("inside")])
def test_what_did_not_arrive_is_tried_again_with_the_same_id_and_a_fresh_signature(
    person, endpoint, play, later, trouble
) -> None:
    got = play(trouble, 200)
    announce(person)
    assert delivering.send_due() == 0
    row = only()
    assert (row.state, row.attempts) == (PostState.QUEUED, 1)
    assert row.answered == (trouble if isinstance(trouble, int) else None)
    assert delivering.send_due() == 0, "not before its pause is over"
    later(seconds=61)
    assert delivering.send_due() == 1
    first, second = got
    assert first[2] == second[2], "the same message"
    assert first[3]["webhook-id"] == second[3]["webhook-id"]
    assert first[3]["webhook-timestamp"] != second[3]["webhook-timestamp"]


def test_after_most_of_a_day_it_is_given_up_and_sent_again_on_demand(person, endpoint, play, later) -> None:
    got = play(*[503] * 11, 200)
    announce(person)
    for _ in range(11):
        delivering.send_due()
        later(hours=18)
    assert (only().state, only().attempts, only().answered) == (PostState.FAILED, 11, 503)
    assert Act.WEBHOOK_FAILED in acts()
    assert delivering.send_due() == 0
    troubles.redeliver(actor=person.actor, subject=person.id, delivery_id=only().id)
    assert delivering.send_due() == 1
    assert len({one[3]["webhook-id"] for one in got}) == 1
    assert Act.WEBHOOK_REDELIVERED in acts()


def test_one_that_arrived_though_nobody_heard_is_sent_again_with_its_id(person, endpoint, play, later) -> None:
    """It happened but reported failure: a crash after the endpoint took it. The id lets the receiver tell."""

    class Killed(BaseException):
        pass

    got = play(Killed(), 200)
    announce(person)
    with pytest.raises(Killed):
        delivering.send_due()
    assert only().state == PostState.SENDING
    assert delivering.send_due() == 0, "another machine leaves what was just taken"
    later(minutes=11)
    assert delivering.send_due() == 1
    assert got[0][3]["webhook-id"] == got[1][3]["webhook-id"]


def test_a_closed_host_waits_until_it_is_opened_again(person, endpoint, later) -> None:
    closures.close(actor=person.actor, vendor="hooks.example.org", because="test")
    announce(person)
    assert delivering.send_due() == 0
    assert files() == []
    closures.open_again(actor=person.actor, vendor="hooks.example.org")
    later(minutes=2)
    assert delivering.send_due() == 1


def test_a_full_disk_loses_nothing(person, endpoint, later, monkeypatch) -> None:
    from headshotly.vendors import dropping

    def full(*_args):
        raise OSError(28, "No space left on device")

    announce(person)
    with monkeypatch.context() as disk:
        disk.setattr(dropping, "drop", full)
        assert delivering.send_due() == 0
    later(minutes=2)
    assert delivering.send_due() == 1


def test_a_finished_a_failed_and_a_cancelled_job(person, endpoint, flat_engine) -> None:
    photo, client = keep_photo(person), program_of(person)
    ids = [client.say("jobs", {"photo_ids": [str(photo.id)], "styles": ["cv"]}).json()["id"] for _ in range(3)]
    tasks.run_shoot.call(ids[0])
    tasks.fail(ids[1], "It broke.")
    client.say(f"jobs/{ids[2]}/cancel", {})
    told = {(row.event, str(row.about)) for row in WebhookDelivery.objects.all()}
    assert told == {(webhooks.JOB_DONE, ids[0]), (webhooks.JOB_FAILED, ids[1])}
    tasks.run_shoot.call(ids[0])
    assert WebhookDelivery.objects.count() == 2, "a worker that runs again tells nothing again"


def test_a_copy_that_is_ready(person, endpoint) -> None:
    export = program_of(person).say("exports", {}).json()
    rights_tasks.build_export.call(export["id"])
    assert (only().event, str(only().about)) == (webhooks.EXPORT_READY, export["id"])


def test_a_buyer_hears_that_a_seat_was_taken_and_not_by_whom(person, make_person) -> None:
    from headshotly.orders import seats
    from headshotly.orders.models import Order, OrderState, Seat

    webhooks.register(actor=person.actor, subject=person.id, url=URL, events=["seat.taken"])
    order = Order.objects.create(
        subject=person.id, package_id="team", seats=2, currency="EUR", price_minor=1, provider="x",
        created_at=clock.now(), state=OrderState.PAID,
    )  # fmt: skip
    seats.make(order)
    seat, bob = Seat.objects.order_by("id").first(), make_person("bob@example.org")
    seats.take(actor=bob.actor, subject=bob.id, token=seats.new_link_for(subject=person.id, seat_id=seat.id))
    body = delivering.body_of(WebhookDelivery.objects.get(subject=person.id)).decode()
    assert json.loads(body)["type"] == "seat.taken"
    assert json.loads(body)["data"] == {"seat_id": str(seat.id)}
    assert str(bob.id) not in body


def test_nothing_is_told_of_what_was_rolled_back(person, endpoint) -> None:
    from django.db import transaction

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        announce(person)
        raise ZeroDivisionError
    assert WebhookDelivery.objects.count() == 0


def test_only_what_was_asked_for_and_only_to_its_owner(person, make_person) -> None:
    webhooks.register(actor=person.actor, subject=person.id, url=URL, events=[webhooks.JOB_FAILED])
    eve = make_person("eve@example.org")
    webhooks.register(actor=eve.actor, subject=eve.id, url=URL, events=[webhooks.JOB_DONE])
    announce(person)
    assert WebhookDelivery.objects.count() == 0
    announce(person, webhooks.JOB_FAILED)
    assert only().subject == person.id


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://a@b.example/",
        "ftp://x.example",
    ],
)
def test_an_address_inside_or_without_https_is_refused(program, person, url) -> None:
    with pytest.raises(https.AddressRefused):
        webhooks.register(actor=person.actor, subject=person.id, url=url, events=["job.done"])
    refused = program.say("webhooks", {"url": url, "events": ["job.done"]})
    assert refused.json()["code"] in {"https.address", "request.blocked"}, "the inspection may be first to see it"
    assert WebhookEndpoint.objects.count() == 0


def test_there_are_not_more_than_five(person) -> None:
    for number in range(5):
        webhooks.register(actor=person.actor, subject=person.id, url=f"{URL}{number}", events=["job.done"])
    with pytest.raises(WebhookRefused, match="the most"):
        webhooks.register(actor=person.actor, subject=person.id, url=URL, events=["job.done"])
    with pytest.raises(WebhookRefused):
        webhooks.register(actor=person.actor, subject=person.id, url=URL, events=["job.begun"])


def test_a_program_registers_reads_the_log_sends_again_and_removes(program, person, later) -> None:
    made = program.say("webhooks", {"url": URL, "events": ["job.done"]}).json()
    assert made["secret"].startswith("whsec_")
    assert "secret" not in program.get(f"webhooks/{made['id']}").json()
    announce(person)
    delivering.send_due()
    [sent] = program.get(f"webhooks/{made['id']}/deliveries").json()["items"]
    assert (sent["state"], sent["answered"], sent["attempts"]) == ("sent", 200, 1)
    again = program.say(f"deliveries/{sent['id']}/redeliver", {})
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    assert_problem(program.say(f"deliveries/{uuid4()}/redeliver", {}), 404)
    assert delivering.send_due() == 1
    later(days=31)
    program = program_of(person)
    assert retention.sweep()["webhook-log"] == 1
    announce(person)
    assert program.delete(f"webhooks/{made['id']}").status_code == 204
    assert delivering.send_due() == 0
    assert WebhookDelivery.objects.count() == 0


def test_where_the_network_lets_out_some_ports_only_an_endpoint_at_another_is_refused_at_once(person, settings):
    def register(url: str):
        return webhooks.register(actor=person.actor, subject=person.id, url=url, events=["job.done"])

    register("https://hooks.example.org:8443/any-port-by-default")
    here = configuration.current()
    settings.HEADSHOTLY = replace(here, options={**here.options, "webhooks.port": "443"})
    with pytest.raises(WebhookRefused, match="to port 443 only"):
        register("https://hooks.example.org:8443/again")
    for url in ("https://hooks.example.org/usual", "https://hooks.example.org:443/said"):
        register(url)


def test_the_sender_sends_what_is_due_unless_the_service_is_read_only_and_a_failure_is_told(
    endpoint, person, monkeypatch
):
    webhooks.test(subject=person.id, endpoint_id=endpoint.endpoint.id)
    measure = containment.contain(
        actor=SYSTEM, number=None, measure_id=containment.READ_ONLY, target="", because="We look into it."
    )

    def once():
        return CliRunner().invoke(sender, ["--once"])

    assert once().exit_code == 0
    assert files() == []
    containment.release(actor=SYSTEM, containment_id=measure.id, because="Nothing was found.")
    assert once().exit_code == 0
    [message] = files()
    assert message["to"] == "hooks.example.org"

    def fail() -> int:
        raise ValueError("something nobody foresaw")

    monkeypatch.setattr(delivering, "send_due", fail)
    assert isinstance(once().exception, ValueError)


def test_the_sender_goes_on_after_a_failure_and_ends_when_told(monkeypatch):
    class Told:
        rounds = 0

        def on(self):
            return self

        def is_told(self):
            return Told.rounds == 3

        def wait(self, _seconds):
            Told.rounds += 1

    fails = [DatabaseFailure("away"), ValueError("unforeseen"), None]

    def send_due() -> int:
        if failure := fails.pop(0):
            raise failure
        return 1

    monkeypatch.setattr(delivering, "send_due", send_due)
    monkeypatch.setattr("headshotly.frontdoor.commands.sender.Stopping", Told)
    assert CliRunner().invoke(sender, [], catch_exceptions=False).exit_code == 0
    assert fails == []
