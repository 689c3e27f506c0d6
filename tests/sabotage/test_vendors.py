"""Vendors, broken: sections 1.2.d and 9."""

import datetime as dt

import pytest

from headshotly.policy import clock, dates
from headshotly.proof.findings import Outcome
from headshotly.vendors import gate, way_out
from headshotly.vendors.models import Outflow, State, Vendor, VendorAssessment, VendorDocument
from headshotly.vendors.standing import Standing
from tests.vendors.conftest import _outside_is_played, make_vendor  # noqa: F401 - fixtures

ALL = pytest.mark.django_db(databases="__all__", transaction=True)


@ALL
@pytest.mark.sabotage("vendors_chosen", "a vendor is used that nobody assessed")
def test_a_vendor_nobody_assessed(watch, make_vendor) -> None:  # noqa: F811 - the fixture
    make_vendor()
    watch.is_content()
    VendorAssessment.objects.all().delete()
    watch.is_broken("stripe")


@ALL
@pytest.mark.sabotage("vendors_chosen", "the gate lets anybody through")
def test_a_gate_for_everybody(watch, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(gate, "require", lambda _host, **_: "anybody")
    watch.is_broken("nobody-we-know.invalid")


@ALL
@pytest.mark.sabotage("gate_follows_agreements", "an agreement ends and the gate stays open")
def test_a_gate_that_forgets_agreements(watch, make_vendor, monkeypatch) -> None:  # noqa: F811
    make_vendor()
    watch.is_content()
    VendorDocument.objects.filter(kind="agreement").update(until_on=dates.today() - dt.timedelta(days=2))
    assert watch.look().outcome is Outcome.HELD, "shut by itself is as promised"
    monkeypatch.setattr(gate, "in_register", lambda _host: gate.Opening("stripe", Standing.OPEN, "", frozenset()))
    watch.is_broken("stripe")


@ALL
@pytest.mark.sabotage("gate_follows_agreements", "a program reaches out past the gate")
def test_a_process_without_guard(watch, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(way_out, "_is_this_machine", lambda _host: True)
    monkeypatch.setattr(way_out.socket, "getaddrinfo", lambda *_a, **_n: [])
    watch.is_broken("past the gate")


@ALL
@pytest.mark.sabotage("vendor_reports_current", "an audit report runs out")
def test_a_report_that_ran_out(watch, make_vendor) -> None:  # noqa: F811
    make_vendor()
    watch.is_content()
    VendorDocument.objects.filter(kind="soc-2").update(until_on=dates.today() - dt.timedelta(days=2))
    watch.is_broken("stripe")


@ALL
@pytest.mark.sabotage("vendor_reports_current", "a vendor moves to the United States")
def test_a_vendor_that_moves(watch, make_vendor) -> None:  # noqa: F811
    make_vendor()
    watch.is_content()
    Vendor.objects.update(regions=["US"])
    watch.is_broken("stripe")


@ALL
@pytest.mark.sabotage("vendors_reassessed", "a vendor is not assessed for more than a year")
def test_an_overdue_assessment(watch, make_vendor, later) -> None:  # noqa: F811
    make_vendor()
    watch.is_content()
    later(days=367)
    watch.is_broken("stripe")


@ALL
@pytest.mark.sabotage("egress_on_register", "faces went to a vendor that never agreed to get them")
def test_an_outflow_nobody_agreed_to(watch, make_vendor) -> None:  # noqa: F811
    make_vendor()
    watch.is_content()
    Outflow.objects.create(
        vendor="stripe", host="api.stripe.com", category="encrypted photos and records",
        first_at=clock.now(), last_at=clock.now(),
    )  # fmt: skip
    watch.is_broken("stripe api.stripe.com encrypted photos")


@ALL
@pytest.mark.sabotage("egress_on_register", "something went to a vendor that was refused")
def test_an_outflow_to_somebody_refused(watch, make_vendor) -> None:  # noqa: F811
    make_vendor()
    Outflow.objects.create(
        vendor="stripe", host="api.stripe.com", category="", first_at=clock.now(), last_at=clock.now()
    )
    watch.is_content()
    Vendor.objects.update(state=State.REFUSED)
    watch.is_broken("stripe api.stripe.com")
