"""Penetration tests by third parties: planned, held, reported, due again in a year (clause 4.3.a)."""

import datetime as dt
import hashlib
from uuid import UUID, uuid4

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.lifecycle import documents, importing, limits, reported_table
from headshotly.lifecycle.errors import Incomplete, LimitsRefused, NotFound, StepRefused
from headshotly.lifecycle.models import PenetrationTest, Scan
from headshotly.lifecycle.services import by_staff
from headshotly.policy import clock, configuration, dates
from headshotly.policy.enforcement import enforces
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant

DEFAULT_EVERY_DAYS = 365
LARGEST_REPORT = 64 << 20  # bytes
FURTHEST_PLAN = dt.timedelta(days=2 * 366)
LONGEST_SCOPE = 4000


def every() -> dt.timedelta:
    """Return how often a test is held: option ``penetration.every_days``, a year by default and at most.

    Raises:
        LimitsRefused: it is no whole number from 1 to 366.
    """
    said = configuration.current().options.get("penetration.every_days", str(DEFAULT_EVERY_DAYS)).strip()
    if not (said.isascii() and said.isdigit() and 1 <= int(said[:5]) <= limits.LONGEST_DAYS):
        raise LimitsRefused(f"The option penetration.every_days takes whole days from 1 to {limits.LONGEST_DAYS}.")
    return dt.timedelta(days=int(said))


def _found(test_id: UUID) -> PenetrationTest:
    found = PenetrationTest.objects.select_for_update().filter(id=test_id).first()
    if found is None:
        raise NotFound("There is no such penetration test.")
    return found


@enforces("4.3.a")
def plan(*, actor: Actor, tester: str, scope: str, planned_on: dt.date) -> PenetrationTest:
    """Plan a test.

    Args:
        actor: who plans it.
        tester: the third party that tests; never the operator.
        scope: what is tested, and what is not.
        planned_on: the day it begins, within two years.

    Raises:
        Incomplete: a part is missing, or the tester is ourselves.
    """
    by, who, what = by_staff(actor), tester.strip(), scope.strip()
    if not 0 < len(who) <= 120 or not 0 < len(what) <= LONGEST_SCOPE:  # noqa: PLR2004 - the column's length
        raise Incomplete("Please name the tester, and say what is tested and what is not.")
    if who.casefold() == configuration.current().operator.name.casefold():
        raise Incomplete("Whoever runs the service does not test it: name a third party.")
    if not dates.today() - FURTHEST_PLAN <= planned_on <= dates.today() + FURTHEST_PLAN:
        raise Incomplete("Please choose a day within two years from now.")
    with transaction.atomic():
        made = PenetrationTest.objects.create(
            tester=who, scope=what, planned_on=planned_on, planned_by=by, planned_at=clock.now()
        )
        audit.record(actor=actor, act=Act.TEST_PLANNED, purpose=str(made.id))
    return made


@enforces("4.3.a")
def cancel(*, actor: Actor, test_id: UUID) -> None:
    """Take a plan back; the promise to test stays.

    Raises:
        NotFound: there is no such test.
        StepRefused: it was held, or is cancelled already.
    """
    by_staff(actor)
    with transaction.atomic():
        found = _found(test_id)
        if found.reported_at is not None or found.cancelled_at is not None:
            raise StepRefused("This test was held, or is cancelled already.")
        found.cancelled_at = clock.now()
        found.save(update_fields=["cancelled_at"])
        audit.record(actor=actor, act=Act.TEST_CANCELLED, purpose=str(found.id))


@enforces("4.3.a", "4.3.b")
def take_report(
    *, actor: Actor, test_id: UUID, began_on: dt.date, ended_on: dt.date, report: bytes, findings: bytes = b""
) -> PenetrationTest:
    """Take the report of a test in: sealed in the vault, its findings into the register.

    Everything is one transaction; a crash before its end leaves a sealed object that no row names, which the vault
    sweeps up, and the report can be taken in again.

    Args:
        actor: who brings it.
        test_id: of which test.
        began_on: first day of testing.
        ended_on: last day, today at most.
        report: the file, whatever its form; never opened here.
        findings: SARIF, or CSV as ``reported_table`` reads it; empty where nothing was found.

    Raises:
        Incomplete: the report is missing or too large, or the days make no sense.
        DocumentRefused: the findings are none we can read; nothing is kept.
        StepRefused: there is a report already, or the test was cancelled.
    """
    by = by_staff(actor)
    if not 0 < len(report) <= LARGEST_REPORT:
        raise Incomplete(f"The report is a file of at most {LARGEST_REPORT >> 20} MiB.")
    if not began_on <= ended_on <= dates.today():
        raise Incomplete("The test began before it ended, and ended by today.")
    key = uuid4()
    vault.create_customer_key(actor=actor, subject=key)
    with transaction.atomic():
        found = _found(test_id)
        if found.reported_at is not None or found.cancelled_at is not None:
            raise StepRefused("This test has its report, or was cancelled.")
        found.report_object = vault.seal(
            actor=actor, subject=key, kind="penetration-report", purpose="lifecycle", plaintext=report
        )
        found.report_key, found.report_bytes = key, len(report)
        found.report_sha256 = hashlib.sha256(report).hexdigest()
        found.began_on, found.ended_on = began_on, ended_on
        found.reported_at, found.reported_by = clock.now(), by
        found.save()
        if findings:
            _enter(actor, found, findings)
        audit.record(actor=actor, act=Act.TEST_REPORTED, subject=key, purpose=str(found.id))
    return found


def _enter(actor: Actor, test: PenetrationTest, findings: bytes) -> list[Scan]:
    if findings.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        _, runs = documents.read(findings)
        return importing.take_in(actor=actor, raw=findings, test=test) if runs else []
    run = reported_table.read(findings, tester=test.tester)
    return importing.take_run(actor=actor, run=run, form="CSV", raw=findings, test=test)


@enforces("5.3.a")
def read_report(*, actor: Actor, test_id: UUID, warrant: Warrant) -> tuple[PenetrationTest, bytes]:
    """Return a test's report, after the journal says who opened it.

    Raises:
        NotFound: there is no such test, or no report yet.
        WarrantRefused: the warrant is for another report.
        ObjectDamaged: it is not what was sealed.
    """
    found = PenetrationTest.objects.filter(id=test_id).first()
    if found is None or found.report_object is None:
        raise NotFound("This test has no report yet.")
    report = vault.open(object_id=found.report_object, warrant=warrant)
    audit.record(actor=actor, act=Act.TEST_REPORT_READ, subject=found.report_key, purpose=str(found.id))
    return found, report


def last_held() -> PenetrationTest | None:
    """Return the test that ended last and whose report is here."""
    return PenetrationTest.objects.filter(reported_at__isnull=False).order_by("-ended_on", "-reported_at").first()


def next_plan() -> PenetrationTest | None:
    """Return the plan that comes first of those not held and not cancelled."""
    return (
        PenetrationTest.objects.filter(reported_at__isnull=True, cancelled_at__isnull=True)
        .order_by("planned_on")
        .first()
    )


def due_on() -> dt.date | None:
    """Return by when the next test must have ended; None where none was ever held."""
    last = last_held()
    return None if last is None or last.ended_on is None else last.ended_on + every()
