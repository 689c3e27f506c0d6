"""The gate: what it lets out, what it refuses, and that either is written down."""

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.audit.acts import Act, Outcome
from headshotly.audit.leaf import Leaf, decode
from headshotly.audit.models import Disclosure, PendingEntry
from headshotly.policy import clock
from headshotly.vendors import aws, categories, closures, gate, register, selectors
from headshotly.vendors.errors import EgressRefused
from headshotly.vendors.gate import matches
from headshotly.vendors.models import Outflow
from tests.vendors.conftest import ONE

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def written() -> list[Leaf]:
    rows = [*Disclosure.objects.all(), *PendingEntry.objects.all()]
    leaves = [decode(bytes(row.leaf)) for row in rows]
    return [leaf for leaf in leaves if leaf.act in {Act.DATA_SENT, Act.EGRESS_REFUSED}]


@pytest.mark.clause("9.1.b")
@pytest.mark.clause("1.2.d")
def test_what_was_agreed_goes_and_is_written_down(make_vendor):
    make_vendor()
    subject = uuid.uuid4()
    assert gate.require("API.stripe.com.", carries=(categories.PAYMENTS,), about=subject) == "stripe"
    [leaf] = written()
    assert (leaf.act, leaf.subject) == (Act.DATA_SENT, subject)
    assert leaf.purpose == "stripe → api.stripe.com: order and payment references"
    [outflow] = Outflow.objects.all()
    assert (outflow.vendor, outflow.host, outflow.category) == ("stripe", "api.stripe.com", categories.PAYMENTS)
    assert selectors.strays() == []


@pytest.mark.clause("1.2.d")
@pytest.mark.parametrize(
    ("host", "carries", "words"),
    [
        ("tracker.example", (), "on no register"),
        ("stripe.com", (), "on no register"),
        ("api.stripe.com.evil.example", (), "on no register"),
        ("evilapi.stripe.com", (), "on no register"),
        ("files.stripe.example", (), "on no register"),
        ("api.stripe.com", (categories.SEALED_OBJECTS,), "never agreed"),
        ("api.stripe.com", (categories.PAYMENTS, categories.ADDRESSES), "never agreed"),
    ],
)
def test_everything_else_is_refused_and_written_down(make_vendor, host, carries, words):
    make_vendor()
    with pytest.raises(EgressRefused, match=words):
        gate.require(host, carries=carries)
    [leaf] = written()
    assert (leaf.act, leaf.outcome) == (Act.EGRESS_REFUSED, Outcome.REFUSED)
    assert not Outflow.objects.exists()


@pytest.mark.clause("1.2.d")
def test_a_refusal_outlives_the_callers_rollback(make_vendor):
    from django.db import transaction

    make_vendor()
    with pytest.raises(EgressRefused), transaction.atomic():
        gate.require("tracker.example")
    assert [leaf.act for leaf in written()] == [Act.EGRESS_REFUSED]


@pytest.mark.clause("9.1.b")
def test_the_gate_closes_by_itself_when_the_agreement_ends(make_vendor, monkeypatch):
    make_vendor()
    gate.require("api.stripe.com", carries=(categories.PAYMENTS,))
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(days=302))
    with pytest.raises(EgressRefused, match="No data-processing agreement"):
        gate.require("api.stripe.com", carries=(categories.PAYMENTS,), cannot_wait=True)


@pytest.mark.clause("9.2")
def test_an_overdue_assessment_lets_only_what_cannot_wait_through(make_vendor, monkeypatch):
    from headshotly.vendors.models import VendorDocument

    make_vendor()
    VendorDocument.objects.update(until_on=dt.date(2100, 1, 1))
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(days=370))
    with pytest.raises(EgressRefused, match="paused for the moment"):
        gate.require("api.stripe.com", carries=(categories.PAYMENTS,))
    assert gate.require("api.stripe.com", carries=(categories.PAYMENTS,), cannot_wait=True) == "stripe"
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(days=400))
    with pytest.raises(EgressRefused, match="is due on"):
        gate.require("api.stripe.com", carries=(categories.PAYMENTS,), cannot_wait=True)


@pytest.mark.clause("8.1.a-b")
@pytest.mark.parametrize("name", ["stripe", "api.stripe.com"])
def test_containment_closes_at_once_and_can_be_undone(make_vendor, name):
    make_vendor()
    gate.require("api.stripe.com")
    closures.close(actor=ONE, vendor=name, because="an incident")
    with pytest.raises(closures.VendorClosed):
        gate.require("api.stripe.com", cannot_wait=True)
    closures.open_again(actor=ONE, vendor=name)
    assert gate.require("api.stripe.com") == "stripe"


@pytest.mark.clause("9.1.b")
def test_an_ended_vendor_gets_nothing(make_vendor):
    make_vendor()
    register.end(actor=ONE, slug="stripe", because="moved on")
    with pytest.raises(EgressRefused, match="on no register"):
        gate.require("api.stripe.com")


def test_routine_traffic_is_written_down_once_an_hour(make_vendor, monkeypatch):
    make_vendor()
    for _ in range(5):
        gate.require("api.stripe.com", carries=(categories.PAYMENTS,), routine=True)
    assert len(written()) == 1
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(hours=1, seconds=1))
    gate.require("api.stripe.com", carries=(categories.PAYMENTS,), routine=True)
    assert len(written()) == 2
    for _ in range(3):
        gate.require("api.stripe.com", carries=(categories.PAYMENTS,))
    assert len(written()) == 5


def test_each_kind_of_data_is_written_down_with_every_object(make_vendor):
    make_vendor(categories=[categories.PAYMENTS, categories.ADDRESSES])
    ids = [uuid.uuid4(), uuid.uuid4()]
    gate.require("api.stripe.com", carries=(categories.PAYMENTS, categories.ADDRESSES), object_ids=iter(ids))
    assert [list(leaf.object_ids) for leaf in written()] == [ids, ids]


def test_no_entry_no_way_out(make_vendor, monkeypatch):
    from headshotly.audit import services as audit
    from headshotly.audit.errors import JournalUnavailable
    from headshotly.vendors import way_out

    make_vendor()
    opened = []
    monkeypatch.setattr(way_out, "permit", lambda host, **_: opened.append(host))

    def broken(**_named):
        raise JournalUnavailable("The journal does not answer.")

    monkeypatch.setattr(audit, "record_durably", broken)
    with pytest.raises(JournalUnavailable):
        gate.require("api.stripe.com")
    assert opened == []


@pytest.mark.clause("2.2")
def test_every_call_to_aws_asks_the_gate(make_vendor, monkeypatch):
    from moto import mock_aws

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = aws.client("s3", region="eu-central-1")
        with pytest.raises(EgressRefused, match="on no register"):
            client.list_buckets()
        make_vendor(
            slug="aws", hosts=["*.eu-central-1.amazonaws.com"], regions=["eu-central-1"],
            categories=[categories.SEALED_OBJECTS],
        )  # fmt: skip
        assert client.list_buckets()["Buckets"] == []
        with pytest.raises(EgressRefused, match="never agreed"):
            aws.client("kms", region="eu-central-1").list_keys()
    with pytest.raises(ValueError, match="nobody declared"):
        aws.client("rekognition", region="eu-central-1")


@given(st.text(alphabet="ab.*-", max_size=12), st.text(alphabet="ab.-", max_size=14))
def test_a_wildcard_stands_for_names_below_and_nothing_else(pattern, host):
    if matches(pattern, host):
        assert host == pattern or (
            pattern.startswith("*.") and host.endswith("." + pattern[2:]) and host != pattern[1:]
        )


@pytest.mark.clause("9.1.b")
@pytest.mark.clause("6.2.b")
def test_a_lost_service_reaches_its_backups_before_its_register_is_back(django_assert_num_queries, settings):
    host = "headshotly-second.s3.eu-west-1.amazonaws.com"
    with pytest.raises(EgressRefused, match="on no register"):
        gate.require(host, carries=(categories.SEALED_OBJECTS,))
    gate.forget()
    with gate.rebuilding():
        # No table need be there, and nothing is written into a journal that is about to come back.
        with django_assert_num_queries(0):
            assert gate.require(host, carries=(categories.SEALED_OBJECTS,), routine=True) == "aws"
            assert gate.require("kms.eu-central-1.amazonaws.com", carries=(categories.WRAPPED_KEYS,)) == "aws"
        for other, kinds in (
            ("s3.us-east-1.amazonaws.com", (categories.SEALED_OBJECTS,)),
            ("s3.eu-west-2.amazonaws.com", (categories.SEALED_OBJECTS,)),
            ("eu-west-1.amazonaws.com.evil.example", ()),
            ("email.eu-west-1.amazonaws.com", (categories.ADDRESSES,)),
            ("api.stripe.com", ()),
        ):
            with pytest.raises(EgressRefused, match="on no register"):
                gate.require(other, carries=kinds)
    with pytest.raises(EgressRefused, match="on no register"):
        gate.require(host, carries=(categories.SEALED_OBJECTS,))


def test_what_was_rebuilt_in_vain_leaves_nothing_open():
    with pytest.raises(ZeroDivisionError), gate.rebuilding():
        raise ZeroDivisionError
    with pytest.raises(EgressRefused):
        gate.require("kms.eu-central-1.amazonaws.com", carries=(categories.WRAPPED_KEYS,))
