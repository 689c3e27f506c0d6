"""Endpoints that hang, fail and lie: none delays another's messages, and their owner hears of it once."""

import email
import email.policy
import functools
import json
import threading
from uuid import uuid4

import pytest
from django.db import connections

from headshotly.accounts import services as accounts
from headshotly.audit.acts import Act
from headshotly.integrations import delivering, troubles, webhooks
from headshotly.integrations.models import Trouble, WebhookDelivery, WebhookEndpoint, WebhookTrouble
from headshotly.policy import clock, configuration
from headshotly.rights import retention
from headshotly.vendors import https, mail, way_out
from tests import strange_servers
from tests.accounts.conftest import browser
from tests.conftest import PASSWORD
from tests.integrations.conftest import assert_problem, program_of
from tests.integrations.test_endpoints import acts
from tests.integrations.test_webhooks import outside  # noqa: F401 - fixture

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.usefixtures("outside")]
GOOD, BAD = "good.example.org", "bad.example.org"


def endpoint_at(person, host: str, port: int = 443) -> WebhookEndpoint:
    url = f"https://{host}:{port}/secret-path"
    return webhooks.register(actor=person.actor, subject=person.id, url=url, events=sorted(webhooks.EVENTS)).endpoint


def announce(person, count: int = 1) -> None:
    for _ in range(count):
        webhooks.announce(subject=person.id, event=webhooks.JOB_DONE, about=uuid4())


def of(endpoint) -> list[WebhookDelivery]:
    return list(WebhookDelivery.objects.filter(endpoint=endpoint).order_by("happened_at"))


def states(endpoint) -> list[str]:
    return [row.state for row in of(endpoint)]


def mails() -> list:
    parse = functools.partial(email.message_from_bytes, policy=email.policy.default)
    found = [parse(path.read_bytes()) for path in sorted(configuration.current().mail_folder.glob("*.eml"))]
    return [one for one in found if "endpoint" in one["Subject"].lower() or "powiadom" in one["Subject"].lower()]


@pytest.fixture
def hosts(monkeypatch):
    """What each host answers: a number, an error, or what a function of the message says; and who was asked what."""
    played, asked = {}, []

    def request(_method, url, *, body, headers, at_request_of, answer_bytes_max):
        host = https.address_of(url).host
        asked.append((host, headers["webhook-id"]))
        said = played.get(host, 200)
        said = said(json.loads(body)) if callable(said) else said
        if isinstance(said, BaseException):
            raise said
        return https.Answer(said, b"")

    monkeypatch.setattr(https, "request", request)
    played["asked"] = asked
    return played


@pytest.fixture
def real(monkeypatch, tmp_path):
    """Real servers behind these names, spoken to by the real client, which is in more of a hurry than usual."""
    serving, trusting = strange_servers.certificate(tmp_path, GOOD, BAD)
    speak = functools.partial(https.request, resolve=lambda *_: ["127.0.0.1"], trust=trusting)
    monkeypatch.setattr(https, "request", speak)
    monkeypatch.setattr(way_out, "is_public", lambda _address: True)
    for name, seconds in (("CONNECT_SECONDS", 3.0), ("READ_SECONDS", 0.3), ("WHOLE_SECONDS", 0.5)):
        monkeypatch.setattr(https, name, seconds)
    return functools.partial(strange_servers.serving, serving)


def test_while_one_endpoint_hangs_all_others_are_told(person, make_person, real, monkeypatch) -> None:
    """The hanging one is let go only once the other has everything: were one to wait for the other, neither would end."""
    monkeypatch.setattr(https, "READ_SECONDS", 20.0)
    monkeypatch.setattr(https, "WHOLE_SECONDS", 20.0)
    told, all_told = [], threading.Event()

    def good(stream) -> None:
        told.append(stream.request)
        strange_servers.answers(200)(stream)
        if len(told) == 5:
            all_told.set()

    def hang(stream) -> None:
        assert all_told.wait(20)
        strange_servers.answers(200)(stream)

    eve = make_person("eve@example.org")
    with real(hang) as hanging, real(good) as port:
        stuck, quick = endpoint_at(eve, BAD, hanging), endpoint_at(person, GOOD, port)
        announce(eve, 2)
        announce(person, 5)
        assert delivering.send_due() == 7
    assert states(stuck) == ["sent"] * 2
    assert states(quick) == ["sent"] * 5


def test_an_endpoint_has_one_message_at_a_time_in_the_order_in_which_things_happened(person, real) -> None:
    ids, at_once, most = [], [0], [0]
    lock = threading.Lock()

    def note(stream) -> None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        ids.append(stream.request.split(b"webhook-id: ")[1].split(b"\r\n")[0].decode())
        stream.over.wait(0.02)
        with lock:
            at_once[0] -= 1
        strange_servers.answers(200)(stream)

    with real(note) as port:
        endpoint = endpoint_at(person, GOOD, port)
        announce(person, 6)
        senders = [threading.Thread(target=_send_on_another_machine) for _ in range(2)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(30)
    assert ids == [str(row.id) for row in of(endpoint)]
    assert most == [1]


def _send_on_another_machine() -> None:
    try:
        delivering.send_due()
    finally:
        connections.close_all()


def test_however_many_failing_endpoints_hang_there_are_senders_for_the_others(make_person, hosts) -> None:
    people = [make_person(f"p{number}@example.org") for number in range(3)]
    hanging, most, lock = [0], [0], threading.Lock()
    three, told = threading.Event(), threading.Event()

    def hang(_message) -> int:
        with lock:
            hanging[0] += 1
            most[0] = max(most[0], hanging[0])
            if hanging[0] == delivering.FOR_FAILING:
                three.set()
        assert told.wait(20), "the good one waited for those that hang"
        with lock:
            hanging[0] -= 1
        return 200

    def good(_message) -> int:
        assert three.wait(20), "there are senders for those that hang, too"
        told.set()
        return 200

    hosts |= {BAD: hang, GOOD: good}
    for person in people:
        for _ in range(4):
            endpoint_at(person, BAD)
    WebhookEndpoint.objects.update(failing_since=clock.now())
    endpoint_at(people[0], GOOD)
    for person in people:
        announce(person)
    assert delivering.send_due() == 13
    assert most[0] == delivering.FOR_FAILING


@pytest.mark.parametrize("behaviour", strange_servers.NO_ANSWER)
def test_an_endpoint_that_gives_no_answer_rests_and_then_gets_everything_in_order(
    person, real, later, behaviour
) -> None:
    play = [strange_servers.NO_ANSWER[behaviour]]

    def behave(stream) -> None:
        play[-1](stream)

    with real(behave) as port:
        endpoint = endpoint_at(person, BAD, port)
        announce(person, 3)
        assert delivering.send_due() == 0
        assert [(row.state, row.attempts, row.answered) for row in of(endpoint)] == [
            ("queued", 1, None), ("queued", 0, None), ("queued", 0, None),
        ]  # fmt: skip
        later(seconds=61)
        play.append(strange_servers.answers(200))
        assert delivering.send_due() == 3
    sent = of(endpoint)
    assert [row.sent_at for row in sent] == sorted(row.sent_at for row in sent)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_endpoint_that_is_busy_is_left_alone_for_a_while(person, hosts, later, status) -> None:
    hosts[BAD] = status
    endpoint = endpoint_at(person, BAD)
    announce(person, 3)
    assert delivering.send_due() == 0
    assert len(hosts["asked"]) == 1
    hosts[BAD] = 200
    later(seconds=61)
    assert delivering.send_due() == 3
    assert states(endpoint) == ["sent"] * 3


def test_a_message_that_is_refused_steps_aside_and_one_nobody_heard_does_not_wait_long(person, hosts, later) -> None:
    endpoint = endpoint_at(person, BAD)
    announce(person, 3)
    refused = str(of(endpoint)[0].about)
    hosts[BAD] = lambda message: 500 if message["data"]["job_id"] == refused else 200
    assert delivering.send_due() == 2
    assert states(endpoint) == ["queued", "sent", "sent"]
    hosts[BAD] = https.NoAnswer("gone")
    announce(person)
    for _ in range(8):  # the pauses double up to hours, but the endpoint rests for ten minutes at most
        later(minutes=11)
        delivering.send_due()
    announce(person)
    hosts[BAD] = 200
    later(minutes=11)
    delivering.send_due()
    assert set(states(endpoint)[1:]) == {"sent"}, "what nobody heard was sent as soon as the endpoint was back"


@pytest.mark.parametrize("language", ["en", "pl"])
def test_an_endpoint_that_takes_nothing_is_paused_and_its_owner_told_once(person, hosts, later, language) -> None:
    accounts.speak(subject=person.id, language=language)
    hosts[BAD] = https.NoAnswer("gone")
    endpoint = endpoint_at(person, BAD)
    announce(person, 2)
    for _ in range(30):
        delivering.send_due()
        troubles.tell_due()
        later(hours=2)
    announce(person)
    later(hours=20)
    tried = len(hosts["asked"])
    assert delivering.send_due() == 0
    assert len(hosts["asked"]) == tried, "nothing is sent to a paused endpoint"
    assert troubles.open_of(endpoint).what == Trouble.SILENT
    assert {Act.WEBHOOK_FAILED, Act.WEBHOOK_PAUSED} <= set(acts())
    [told] = mails()
    text = told.get_content()
    assert told["To"] == person.email
    assert BAD in told["Subject"]
    assert "secret-path" not in text, "the rest of the address may be a secret"
    assert f"/account/programs/webhooks/{endpoint.id}/" in text
    assert ("so we paused it" in text) == (language == "en")
    assert ("wstrzymaliśmy" in text) == (language == "pl")
    hosts[BAD] = 200
    assert troubles.resume(actor=person.actor, subject=person.id, endpoint_id=endpoint.id) == 3
    assert delivering.send_due() == 3
    sent = of(endpoint)
    assert [row.sent_at for row in sent] == sorted(row.sent_at for row in sent)
    assert Act.WEBHOOK_RESUMED in acts()
    assert troubles.resume(actor=person.actor, subject=person.id, endpoint_id=endpoint.id) == 0


def test_a_second_bad_time_is_worth_a_second_mail(person, hosts, later) -> None:
    hosts[BAD] = 410
    endpoint = endpoint_at(person, BAD)
    for number in (1, 2):
        announce(person)
        delivering.send_due()
        troubles.tell_due()
        assert len(mails()) == number
        troubles.resume(actor=person.actor, subject=person.id, endpoint_id=endpoint.id)
        WebhookDelivery.objects.all().delete()


def test_one_that_says_it_is_gone_is_paused_at_once(person, hosts) -> None:
    hosts[BAD] = 410
    endpoint = endpoint_at(person, BAD)
    announce(person, 3)
    assert delivering.send_due() == 0
    assert len(hosts["asked"]) == 1
    assert [(row.state, row.attempts) for row in of(endpoint)] == [("failed", 1), ("queued", 0), ("queued", 0)]
    assert troubles.tell_due() == 1
    assert "410" in mails()[0].get_content()


def test_one_message_that_is_refused_all_day_pauses_nothing_but_is_told(person, hosts, later) -> None:
    endpoint = endpoint_at(person, BAD)
    announce(person)
    refused = str(of(endpoint)[0].about)
    hosts[BAD] = lambda message: 500 if message["data"]["job_id"] == refused else 200
    for _ in range(14):
        delivering.send_due()
        later(hours=9)
        announce(person)
    assert delivering.send_due() == 1
    assert states(endpoint) == ["failed"] + ["sent"] * 14
    assert troubles.open_of(endpoint).what == Trouble.CHOOSY
    assert troubles.tell_due() == 1
    assert "the others go on" in mails()[0].get_content()
    hosts[BAD] = 410  # it becomes worse: that is another mail
    announce(person)
    delivering.send_due()
    assert troubles.open_of(endpoint).what == Trouble.GONE
    assert troubles.tell_due() == 1
    troubles.redeliver(actor=person.actor, subject=person.id, delivery_id=of(endpoint)[0].id)
    hosts[BAD] = 200
    delivering.send_due()
    assert states(endpoint)[0] == "sent"
    assert troubles.open_of(endpoint) is None


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_mail_about_it_arrives_once_though_it_failed_or_nobody_heard(
    person, hosts, later, monkeypatch, where
) -> None:
    """Failed both ways: the mail did not go, or it went and a crash came before that was written down."""
    hosts[BAD] = 410
    endpoint_at(person, BAD)
    announce(person)
    delivering.send_due()
    send = mail.send

    class Killed(BaseException):
        pass

    def fails(**named):
        if where == "after":
            send(**named)
            raise Killed
        raise mail.MailNotSent("Not now.")

    with monkeypatch.context() as failing:
        failing.setattr(mail, "send", fails)
        try:
            assert troubles.tell_due() == 0
        except Killed:
            assert where == "after"
    later(minutes=16)
    assert troubles.tell_due() == 1
    assert troubles.tell_due() == 0
    assert len(mails()) == 1


def test_nothing_is_told_of_what_is_over_or_of_who_left(person, make_person, hosts) -> None:
    hosts[BAD] = 410
    endpoint = endpoint_at(person, BAD)
    announce(person)
    delivering.send_due()
    troubles.resume(actor=person.actor, subject=person.id, endpoint_id=endpoint.id)
    assert troubles.tell_due() == 0
    assert mails() == []
    webhooks.remove(actor=person.actor, subject=person.id, endpoint_id=endpoint.id)
    assert WebhookTrouble.objects.count() == 0


def test_what_is_our_own_fault_is_none_of_a_messages_tries(person, hosts, later, monkeypatch) -> None:
    from headshotly.vault.errors import KeyServiceUnavailable

    endpoint = endpoint_at(person, GOOD)
    announce(person)
    hosts[GOOD] = KeyServiceUnavailable("The key service does not answer.")
    for _ in range(15):
        assert delivering.send_due() == 0
        later(hours=5)
    assert [(row.state, row.attempts) for row in of(endpoint)] == [("queued", 0)]
    hosts[GOOD] = 200
    assert delivering.send_due() == 1


def test_an_unforeseen_mistake_stops_nobody_elses_messages(person, hosts, later) -> None:
    hosts |= {BAD: ZeroDivisionError(), GOOD: 200}
    broken, good = endpoint_at(person, BAD), endpoint_at(person, GOOD)
    announce(person, 3)
    with pytest.raises(ZeroDivisionError):
        delivering.send_due()
    assert states(good) == ["sent"] * 3
    assert states(broken) == ["sending", "queued", "queued"]
    hosts[BAD] = 200
    later(minutes=3)
    assert delivering.send_due() == 3


def test_a_message_left_by_a_crash_goes_before_those_after_it(person, hosts, later) -> None:
    class Killed(BaseException):
        pass

    hosts[BAD] = Killed()
    endpoint = endpoint_at(person, BAD)
    announce(person, 2)
    with pytest.raises(Killed):
        delivering.send_due()
    hosts[BAD] = 200
    assert delivering.send_due() == 0, "it is still somebody's turn"
    later(minutes=3)
    assert delivering.send_due() == 2
    assert [one for _, one in hosts["asked"]] == [str(of(endpoint)[n].id) for n in (0, 0, 1)]


def test_what_waits_for_a_paused_endpoint_goes_after_thirty_days(person, hosts, later) -> None:
    hosts[BAD] = 410
    endpoint = endpoint_at(person, BAD)
    announce(person, 2)
    delivering.send_due()
    later(days=31)
    retention.sweep()
    assert of(endpoint) == []
    assert troubles.pauses(troubles.open_of(endpoint))


def test_its_owner_sees_it_and_resumes_it_on_the_page(person, hosts, later) -> None:
    hosts[BAD] = 410
    endpoint = endpoint_at(person, BAD)
    announce(person, 2)
    delivering.send_due()
    client = browser()
    client.post("/account/sign-in/", {"email": person.email, "password": PASSWORD})
    assert b"Paused" in client.get("/account/programs/").content
    address = f"/account/programs/webhooks/{endpoint.id}/"
    page = client.get(address).content
    assert b"gone for good (410)" in page
    assert b"Send a test message" not in page
    hosts[BAD] = 200
    answer = client.post(f"{address}resume/", follow=True)
    assert b"oldest first: 2" in answer.content
    assert b"gone for good" not in answer.content
    assert delivering.send_due() == 2


def test_a_program_sees_it_and_resumes_it(person, make_person, hosts) -> None:
    hosts[BAD] = 410
    endpoint = endpoint_at(person, BAD)
    program = program_of(person)
    assert program.get(f"webhooks/{endpoint.id}").json()["state"] == "working"
    announce(person, 2)
    delivering.send_due()
    shown = program.get("webhooks").json()["items"][0]
    assert (shown["state"], shown["taken_at"]) == ("paused_gone", None)
    assert shown["state_since"]
    eve = program_of(make_person("eve@example.org"))
    assert_problem(eve.say(f"webhooks/{endpoint.id}/resume", {}), 404)
    reading = program_of(person, "webhooks.read")
    assert_problem(reading.say(f"webhooks/{endpoint.id}/resume", {}), 403)
    hosts[BAD] = 200
    assert program.say(f"webhooks/{endpoint.id}/resume", {}).json()["state"] == "working"
    assert delivering.send_due() == 2
    assert program.get(f"webhooks/{endpoint.id}").json()["taken_at"]
