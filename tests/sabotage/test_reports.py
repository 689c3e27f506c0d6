"""Reports of weaknesses, broken: 4.3.b and 10.3."""

import datetime as dt

import pytest

from headshotly.audit.actor import VISITOR
from headshotly.policy import clock
from headshotly.proof import openpgp, reporting, security_text
from headshotly.proof.models import SecurityText, WeaknessReport
from headshotly.proof.reporting import Words
from headshotly.proof.weakness_states import Channel, Severity
from tests.rights.conftest import DPO

pytestmark = pytest.mark.django_db(databases="__all__")


def report() -> WeaknessReport:
    return reporting.receive(actor=VISITOR, channel=Channel.FORM, words=Words(text="A hole."))


@pytest.mark.sabotage("security_txt_valid", "security.txt was never signed")
def test_no_text(watch) -> None:
    watch.is_broken("/.well-known/security.txt answers 404")


@pytest.mark.sabotage("security_txt_valid", "security.txt expired")
def test_an_expired_text(watch) -> None:
    made = security_text.sign_when_due()
    watch.is_content()
    past = clock.now() - dt.timedelta(days=1)
    text = openpgp.signed_text(made.signed, made.certificate).replace(f"{made.expires_at:%Y-%m-%d}", f"{past:%Y-%m-%d}")
    SecurityText.objects.update(signed=openpgp.clear_sign(text))
    watch.is_broken("It expired on")


@pytest.mark.sabotage("security_txt_valid", "somebody else's address stands in security.txt")
def test_a_forged_text(watch) -> None:
    made = security_text.sign_when_due()
    watch.is_content()
    SecurityText.objects.update(signed=made.signed.replace("mailto:security@", "mailto:thief@"))
    watch.is_broken("signature does not hold")


@pytest.mark.sabotage("reports_acknowledged", "a report waits longer than promised")
def test_a_report_nobody_reads(watch, later) -> None:
    made = report()
    watch.is_content()
    later(days=12)
    watch.is_broken(made.reference)


@pytest.mark.sabotage("reports_fixed", "a critical weakness stays open past its limit")
def test_a_weakness_nobody_fixes(watch, later) -> None:
    made = report()
    reporting.acknowledge(actor=DPO, report_id=made.id, severity=Severity.CRITICAL)
    watch.is_content()
    later(days=9)
    watch.is_broken(made.reference)
