"""Vendors and the way out, broken: sections 1.2 and 9."""

import datetime as dt

import pytest

from headshotly.policy import clock
from headshotly.proof.checks import nothing_left_unregistered
from headshotly.vendors import gate
from headshotly.vendors.models import Outflow, Vendor, VendorAssessment, VendorDocument
from headshotly.vendors.standing import Standing
from tests.vendors.conftest import _outside_is_played, make_vendor  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture
def vendor(make_vendor) -> Vendor:  # noqa: F811 - a fixture
    return make_vendor()


def yesterday() -> dt.date:
    return clock.now().date() - dt.timedelta(days=2)


@pytest.mark.sabotage("vendors_are_approved", "a vendor is used that nobody examined")
def test_an_unexamined_vendor(watch, vendor) -> None:
    watch.is_content()
    VendorAssessment.objects.all().delete()
    watch.is_broken(vendor.slug)


@pytest.mark.sabotage("gate_follows_agreements", "the gate stays open after an agreement ran out")
def test_a_gate_that_does_not_look(watch, vendor, monkeypatch) -> None:
    watch.is_content()
    VendorDocument.objects.filter(kind="agreement").update(until_on=yesterday())
    opened = gate.Opening(vendor.slug, Standing.OPEN, "", frozenset(vendor.categories))
    known = gate.in_register
    monkeypatch.setattr(gate, "in_register", lambda host: opened if known(host) else None)
    watch.is_broken(vendor.slug)


@pytest.mark.sabotage("gate_follows_agreements", "the gate opens for anybody")
def test_an_open_gate(watch, vendor, monkeypatch) -> None:
    monkeypatch.setattr(gate, "require", lambda _host, **_more: "anybody")
    watch.is_broken("on no register")


@pytest.mark.sabotage("nothing_left_unregistered", "data left for a host nobody knows")
def test_a_stray_outflow(watch, vendor) -> None:
    watch.is_content()
    now = clock.now()
    Outflow.objects.create(vendor="tracker", host="t.example", category="mail addresses", first_at=now, last_at=now)
    watch.is_broken("tracker → t.example: mail addresses")


@pytest.mark.sabotage("nothing_left_unregistered", "a library speaks past the gate")
def test_a_way_past_the_gate(watch, vendor, monkeypatch) -> None:
    def looks_up(_host, _port):
        raise OSError("no such name")

    monkeypatch.setattr(nothing_left_unregistered.socket, "getaddrinfo", looks_up)
    watch.is_broken("guard: ")


@pytest.mark.sabotage("vendor_evidence_current", "a critical vendor's audit report runs out")
def test_an_old_report(watch, vendor) -> None:
    watch.is_content()
    VendorDocument.objects.filter(kind="soc-2").update(until_on=yesterday())
    watch.is_broken(f"{vendor.slug}: no current audit report")


@pytest.mark.sabotage("vendor_evidence_current", "a vendor moves its processing out of the Union")
def test_a_vendor_that_moves(watch, vendor) -> None:
    Vendor.objects.filter(id=vendor.id).update(regions=["US"])
    watch.is_broken(f"{vendor.slug}: US")


@pytest.mark.sabotage("vendors_are_assessed_again", "a critical vendor is not assessed for more than a year")
def test_a_forgotten_assessment(watch, vendor, later) -> None:
    watch.is_content()
    later(days=370)
    watch.is_broken(vendor.slug)
