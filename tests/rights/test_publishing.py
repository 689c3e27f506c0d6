"""Documents: versions that never change, what changed, who is told, once, whatever dies in between."""

import dataclasses
import datetime as dt
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from headshotly.accounts import selectors as accounts
from headshotly.audit.actor import Actor
from headshotly.policy import clauses, clock, dates, mapping
from headshotly.rights import legal_texts, mailing, publishing
from headshotly.rights.errors import MappingNotReviewed, PublicationRefused
from headshotly.rights.models import Delivery, Publication
from headshotly.vendors import mail, posting
from headshotly.vendors.posting import PostState
from tests.accounts.conftest import browser, mail_text, mails
from tests.rights.conftest import DPO

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("11.a-c")]
REPOSITORY = Path(__file__).resolve().parents[2]
SUMMARY = "We say more clearly how long things are kept."


def today(days: int = 0) -> dt.date:
    return dates.today() + dt.timedelta(days=days)


def publish(days: int = 0, document: str = legal_texts.POLICY, **changes) -> Publication:
    fields = {"actor": DPO, "document": document, "effective_on": today(days), "summary": SUMMARY}
    return publishing.publish(**(fields | changes))


@pytest.fixture
def says(monkeypatch):
    """Let a document say something else."""

    def put(text: str) -> None:
        monkeypatch.setitem(legal_texts._SOURCES, legal_texts.POLICY, lambda: text)

    return put


def test_the_first_version_is_what_the_service_started_with() -> None:
    (first,) = legal_texts.versions(legal_texts.POLICY)
    assert not first.published
    assert first.body == legal_texts.working_text(legal_texts.POLICY)


def test_a_version_is_dated_kept_and_compared(says) -> None:
    says("We keep photos. We tell nobody.\n")
    publish()
    says("We keep photos for 30 days. We tell nobody.\n")
    assert legal_texts.differs(legal_texts.POLICY)
    publish(days=10)
    newest, first = legal_texts.versions(legal_texts.POLICY)
    assert (newest.version, first.version) == (today(10).isoformat(), today().isoformat())
    assert legal_texts.difference(first.body, newest.body) == [
        ("removed", "We keep photos."),
        ("added", "We keep photos for 30 days."),
        ("same", "We tell nobody."),
    ]
    for address in (
        "/documents/",
        f"/documents/security-policy/{first.version}/",
        f"/documents/security-policy/{newest.version}/",
        f"/documents/security-policy/{first.version}..{newest.version}/",
    ):
        page = browser().get(address)
        assert page.status_code == 200, address
    assert "<ins>" in page.content.decode()
    assert "30 days" not in browser().get(f"/documents/security-policy/{first.version}/").content.decode()
    assert browser().get("/documents/security-policy/1999-01-01/").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"summary": "short"},
        {"effective_on": dt.date(2020, 1, 1)},
        {"effective_on": dt.date(2200, 1, 1)},
        {"document": "nothing"},
        {"actor": Actor(kind="customer", id=uuid4())},
    ],
)
def test_an_incomplete_publication_is_refused(change) -> None:
    with pytest.raises(PublicationRefused):
        publish(**change)
    assert not Publication.objects.exists()


def test_nothing_new_is_not_published_and_no_date_goes_back(says) -> None:
    says("One.\n")
    publish(days=5)
    with pytest.raises(PublicationRefused):
        publish(days=6)
    says("Two.\n")
    for days in (5, 4):
        with pytest.raises(PublicationRefused):
            publish(days=days)
    publish(days=6)


def test_every_sentence_is_mapped_and_its_mapping_reviewed_as_it_stands() -> None:
    assert mapping.unreviewed() == []
    assert set(mapping.mappings()) == set(clauses.clauses())


@pytest.mark.parametrize("how", ["changed", "unmapped", "missing"])
def test_a_changed_sentence_without_a_reviewed_mapping_blocks_publication(monkeypatch, how) -> None:
    if how == "changed":
        changed = dataclasses.replace(clauses.clauses()["3.2.a"], sentence="Images are encrypted most of the time.")
        monkeypatch.setattr(mapping, "clauses", lambda: clauses.clauses() | {"3.2.a": changed})
    else:
        known = dict(mapping.mappings())
        if how == "missing":
            del known["3.2.a"]
        else:
            known["3.2.a"] = dataclasses.replace(known["3.2.a"], iso=(), asvs=())
        monkeypatch.setattr(mapping, "mappings", lambda: known)
    with pytest.raises(MappingNotReviewed, match=r"3\.2\.a"):
        publish()
    assert not Publication.objects.exists()
    publish(document=legal_texts.PRIVACY)


def test_every_confirmed_customer_is_told_once_and_cannot_unsubscribe(make_person) -> None:
    people = [make_person(f"person-{number}@example.org") for number in range(3)]
    publish()
    before = len(mails())
    assert (mailing.queue_due(), mailing.queue_due()) == (3, 0)
    assert (mailing.send_due(), mailing.send_due()) == (3, 0)
    told = mails()
    assert len(told) == before + 3
    newest = [path for path in told if "new-version" in path.name]
    text = mail_text(newest[0])
    assert SUMMARY in text
    assert f"/documents/security-policy/{today().isoformat()}/" in text
    assert "unsubscribe" not in text.lower()
    assert mailing.progress(Publication.objects.get())["sent"] == 3
    assert {row.subject for row in Delivery.objects.all()} == {person.id for person in people}


def test_who_leaves_before_the_mail_gets_none(make_person) -> None:
    from headshotly.studio import services as studio

    stays, leaves = make_person("stays@example.org"), make_person("leaves@example.org")
    publish()
    mailing.queue_due()
    studio.delete_everything(actor=leaves.actor, subject=leaves.id)
    assert mailing.send_due() == 1
    assert Delivery.objects.get().subject == stays.id


def test_who_left_between_queue_and_address_is_marked_gone(make_person) -> None:
    make_person()
    publish()
    mailing.queue_due()
    assert mailing.send_due(address_of=lambda _subject: "") == 0
    assert Delivery.objects.get().state == PostState.GONE


def test_a_mail_that_fails_is_tried_again_later_and_given_up_in_the_end(make_person, monkeypatch, later) -> None:
    make_person()
    publish()
    mailing.queue_due()
    real, tries = mail.send, []

    def fails(**_message):
        tries.append(clock.now())
        raise mail.MailNotSent("Not now.")

    monkeypatch.setattr(mail, "send", fails)
    for _ in range(40):
        assert mailing.send_due() == 0
        later(minutes=30)
    pauses = [round((second - first) / dt.timedelta(minutes=1)) for first, second in itertools.pairwise(tries)]
    assert len(tries) == posting.ATTEMPTS_MAX
    assert all(second >= first for first, second in itertools.pairwise(pauses))
    assert Delivery.objects.get().state == PostState.FAILED
    monkeypatch.setattr(mail, "send", real)
    assert mailing.send_due() == 0


def test_a_mail_that_was_handed_over_and_reported_as_failed_arrives_once(make_person, monkeypatch, later) -> None:
    make_person()
    publish()
    mailing.queue_due()
    before, real = len(mails()), mail.send

    def sent_and_failed(**message):
        real(**message)
        raise mail.MailNotSent("The line broke off.")

    monkeypatch.setattr(mail, "send", sent_and_failed)
    assert mailing.send_due() == 0
    monkeypatch.setattr(mail, "send", real)
    later(hours=1)
    assert mailing.send_due() == 1
    assert len(mails()) == before + 1


@pytest.mark.parametrize(("permanent", "state"), [(False, PostState.QUEUED), (True, PostState.FAILED)])
def test_a_bounce_is_tried_again_when_it_may_pass_and_given_up_when_not(make_person, later, permanent, state) -> None:
    make_person()
    publish()
    mailing.queue_due()
    mailing.send_due()
    before = len(mails())
    delivery = Delivery.objects.get()
    mailing.record_bounce(delivery_id=delivery.id, permanent=permanent)
    mailing.record_bounce(delivery_id=uuid4(), permanent=True)
    delivery.refresh_from_db()
    assert delivery.state == state
    later(days=1)
    assert mailing.send_due() == (0 if permanent else 1)
    assert len(mails()) == before + (0 if permanent else 1), "the second mail is another mail than the bounced one"


def test_a_claim_that_a_crash_left_is_taken_up_again(make_person, later) -> None:
    make_person()
    publish()
    mailing.queue_due()
    assert len(posting.claim(Delivery.objects.all(), 10)) == 1
    assert mailing.send_due() == 0, "somebody holds it"
    later(minutes=11)
    assert mailing.send_due() == 1


def test_only_confirmed_customers_are_written_to(make_person) -> None:
    from headshotly.accounts import services
    from headshotly.audit.actor import VISITOR

    person = make_person()
    services.sign_up(actor=VISITOR, email="new@example.org", password="vier gruene Wolken 1983", name="New")
    assert accounts.confirmed_subjects() == {person.id}


@pytest.mark.parametrize(("engine", "customers"), [("sqlite", 10_000), ("postgresql", 1_500)])
def test_every_customer_gets_one_mail_through_kill_minus_nine(engine, customers, tmp_path, request) -> None:
    url = request.getfixturevalue("scratch_postgres").create("mailing") if engine == "postgresql" else ""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADSHOTLY_")}
    environment = {
        **kept,
        "HEADSHOTLY_ENVIRONMENT": "test",
        "HEADSHOTLY_DATA": str(tmp_path / "data"),
        "HEADSHOTLY_MAIL": str(tmp_path / "mail"),
        **({"HEADSHOTLY_DATABASE_URL": url} if url else {}),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.rights.mail_nursery", str(customers), "6"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["customers"] == customers
    assert found["kills while queueing"] >= 1
    assert found["kills while sending"] >= 4
    assert found["mails"] == customers
    assert found["people with a mail"] == customers
    assert found["sent"] == customers
    assert found["queued"] == customers
    assert UUID(found["publication"])
