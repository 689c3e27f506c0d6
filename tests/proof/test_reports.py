"""A report of a weakness: taken in by form and by mail, acknowledged in time, closed, thanked, forgotten (10.3, 4.3.b)."""

import datetime as dt
import json
from email.message import EmailMessage

import pytest

from headshotly.access.models import Role
from headshotly.audit.acts import Act
from headshotly.audit.leaf import decode
from headshotly.audit.models import Disclosure, PendingEntry
from headshotly.policy import clock, configuration
from headshotly.policy.duties import declared
from headshotly.proof import intake, letters, mailbox, reporting, waiting
from headshotly.proof.errors import Incomplete, NotNow
from headshotly.proof.models import Thanks, WeaknessReport
from headshotly.proof.reporting import Words
from headshotly.proof.weakness_states import Channel, Outcome, Severity, State, acknowledge_by, fix_by
from headshotly.vault import services as vault
from headshotly.vault.errors import KeyShredded, ObjectMissing
from headshotly.vendors import mail as mails_out
from tests.access.conftest import at_desk, make_member
from tests.accounts.conftest import browser, db_all, mail_text, mails  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.clause("10.3", "4.3.b"),
    pytest.mark.usefixtures("db_all"),
]
WORDS = {"text": "Ids can be guessed: /x/1, /x/2.", "email": "ada@example.org", "name": "Ada", "thank_as": "Ada F."}


def acts() -> list[Act]:
    return [decode(bytes(one.leaf)).act for one in PendingEntry.objects.all()]


def send(status: int = 200, **changes):
    answer = browser().post("/trust/report/", {**WORDS, **changes})
    assert answer.status_code == status, answer.content[:400]
    return answer


@pytest.fixture
def box():
    """The configured mailbox, empty."""
    folder = intake.folder()
    folder.mkdir(parents=True)
    return folder


def put(folder, name: str = "one", text: str = "A hole.", **headers) -> None:
    made = EmailMessage()
    made["From"] = headers.get("From", "ada@example.org")
    made["Subject"] = headers.get("Subject", "hole")
    made.set_content(text)
    (folder / f"{name}.eml").write_bytes(made.as_bytes())


@pytest.mark.parametrize(
    ("received", "last"),
    [
        ("2026-11-27T12:00+01:00", "2026-12-03T00:00+01:00"),  # Friday: Monday, Tuesday, Wednesday
        ("2026-12-23T12:00+01:00", "2026-12-31T00:00+01:00"),  # over the holidays: 28, 29, 30
        ("2026-12-23T23:30+00:00", "2026-12-31T00:00+01:00"),  # already the 24th in Warsaw
        ("2027-03-25T12:00+01:00", "2027-04-01T00:00+02:00"),  # over Easter and the change of clocks
    ],
)
def test_the_clock_counts_polish_working_days(received, last) -> None:
    found = acknowledge_by(dt.datetime.fromisoformat(received), zone="Europe/Warsaw")
    assert found == dt.datetime.fromisoformat(last)


def test_severity_sets_the_limit() -> None:
    moment = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
    limits = [fix_by(moment, one, zone="Europe/Warsaw") for one in Severity]
    assert limits == [dt.date(2026, 12, 4), dt.date(2026, 12, 27), dt.date(2027, 2, 25), dt.date(2027, 5, 26), None]


def test_the_form_takes_a_report_and_answers_at_once() -> None:
    text = send().content.decode()
    report = WeaknessReport.objects.get()
    assert report.reference in text
    assert report.state == State.RECEIVED
    assert (Act.WEAKNESS_REPORTED in acts(), report.channel) == (True, "form")
    sent = [mail_text(path) for path in mails()]
    assert len(sent) == 2
    assert any("program" in one and report.reference in one for one in sent)
    assert all("guessed" not in one for one in sent), "what was written is in no mail"


def test_what_was_written_lies_sealed_and_the_journal_says_who_opened_it() -> None:
    send()
    report = WeaknessReport.objects.get()
    assert b"guessed" not in bytes(report.words.ciphertext)
    officer = at_desk(make_member(Role.SECURITY))
    page = f"/staff/weaknesses/{report.id}/"
    assert "guessed" not in officer.get(page).content.decode()
    opened = officer.post(f"{page}words/").content.decode()
    assert "guessed" in opened
    assert Act.WEAKNESS_READ in acts()
    assert any(decode(bytes(one.leaf)).subject == report.subject for one in Disclosure.objects.using("journal").all())


@pytest.mark.parametrize("role", [Role.DPO, Role.AUDITOR])
def test_who_only_reads_the_queue_opens_nothing(role) -> None:
    send()
    report = WeaknessReport.objects.get()
    client = at_desk(make_member(role))
    assert client.get("/staff/weaknesses/").status_code == 200
    assert client.post(f"/staff/weaknesses/{report.id}/words/").status_code == 403
    assert client.post(f"/staff/weaknesses/{report.id}/step/", {"what": "acknowledge"}).status_code == 403


def test_an_officer_without_the_people_checks_opens_nothing() -> None:
    send()
    report = WeaknessReport.objects.get()
    client = at_desk(make_member(Role.SECURITY, fit=False))
    assert client.post(f"/staff/weaknesses/{report.id}/words/").status_code == 403


@pytest.mark.parametrize(
    "changes", [{"text": " "}, {"text": "x" * 20_001}, {"email": "nobody"}, {"email": "a@b.example, c@d.example"},
                {"thank_as": "x" * 81}, {"where": "x" * 301}]
)  # fmt: skip
def test_a_form_that_lacks_something_says_so_and_keeps_what_was_typed(changes) -> None:
    answer = send(422, **changes)
    assert 'role="alert"' in answer.content.decode()
    assert not WeaknessReport.objects.exists()


def test_markup_in_a_report_is_text() -> None:
    send(422, email="x", text="<script>alert(1)</script>")
    answer = send(422, email="x", text="<script>alert(1)</script>").content.decode()
    assert "<script>alert" not in answer
    assert "&lt;script&gt;alert" in answer


def test_one_client_does_not_flood_us() -> None:
    for _ in range(10):
        send()
    send(429)
    assert WeaknessReport.objects.count() == 10
    assert sum("program" in mail_text(path) for path in mails()) == letters.RECEIPTS_A_DAY


def test_a_report_without_an_address_is_taken_too() -> None:
    assert "no address" in send(email="").content.decode()
    assert not WeaknessReport.objects.get().answerable


def test_acknowledged_answered_closed_and_thanked() -> None:
    send()
    report = WeaknessReport.objects.get()
    officer, page = at_desk(make_member(Role.SECURITY)), f"/staff/weaknesses/{report.id}/"
    assert officer.post(f"{page}step/", {"what": "close", "outcome": "fixed"}).status_code == 409
    assert officer.post(f"{page}step/", {"what": "acknowledge", "severity": "high"}).status_code == 422
    answer = {"what": "acknowledge", "severity": "high", "reply": "Thank you, we see it too."}
    assert officer.post(f"{page}step/", answer).status_code == 302
    assert officer.post(f"{page}step/", answer).status_code == 409
    assert any("we see it too" in mail_text(path) for path in mails())
    report.refresh_from_db()
    assert (report.state, report.severity) == (State.ACKNOWLEDGED, Severity.HIGH)
    assert report.fix_by is not None
    assert officer.get("/trust/thanks/").content.decode().count("Ada F.") == 0
    done = {"what": "close", "outcome": "fixed", "thank": "yes", "for_what": "Guessable ids", "reply": "Fixed."}
    assert officer.post(f"{page}step/", {**done, "for_what": ""}).status_code == 422
    assert officer.post(f"{page}step/", done).status_code == 302
    hall = browser().get("/trust/thanks/").content.decode()
    assert "Ada F." in hall
    assert "Guessable ids" in hall
    assert {Act.WEAKNESS_ACKNOWLEDGED, Act.WEAKNESS_CLOSED} <= set(acts())
    assert officer.post(f"/staff/weaknesses/thanks/{Thanks.objects.get().id}/withdraw/").status_code == 302
    assert "Ada F." not in browser().get("/trust/thanks/").content.decode()


def test_nobody_is_thanked_who_did_not_ask_for_it() -> None:
    send(thank_as="")
    report = WeaknessReport.objects.get()
    officer, page = at_desk(make_member(Role.SECURITY)), f"/staff/weaknesses/{report.id}/"
    officer.post(f"{page}step/", {"what": "acknowledge", "severity": "low", "reply": "Thanks."})
    officer.post(f"{page}step/", {"what": "close", "outcome": "fixed", "thank": "yes", "for_what": "x"})
    assert report.id
    assert not Thanks.objects.exists()


def test_a_mail_becomes_a_report_once(box) -> None:
    put(box)
    found = intake.collect()
    assert (found.recorded, found.answered, found.failed) == (1, 1, 0)
    report = WeaknessReport.objects.get()
    assert (report.channel, report.answerable) == ("mail", True)
    assert not list(box.glob("*.eml"))
    put(box, "again")
    assert intake.collect().recorded == 1
    assert WeaknessReport.objects.count() == 1, "the same mail, fetched twice, is one report"
    officer = at_desk(make_member(Role.SECURITY))
    saved = officer.post(f"/staff/weaknesses/{report.id}/mail/")
    assert b"A hole." in saved.content
    assert saved["Content-Type"] == "application/octet-stream"
    assert saved["Content-Disposition"].startswith("attachment")


def test_a_crash_after_recording_takes_the_mail_again_and_makes_no_second_report(box, monkeypatch) -> None:
    put(box)

    def dies(self, mail):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mailbox.MailFolder, "done", dies)
    assert intake.collect().failed == 1
    monkeypatch.undo()
    assert intake.collect().recorded == 1
    assert WeaknessReport.objects.count() == 1


def test_a_vault_that_does_not_answer_leaves_the_mail_where_it_is(box, monkeypatch) -> None:
    from headshotly.vault.errors import StoreUnavailable

    put(box)

    def fails(**_):
        raise StoreUnavailable("The store does not answer.")

    monkeypatch.setattr(vault, "seal", fails)
    assert (intake.collect().failed, WeaknessReport.objects.count()) == (1, 0)
    assert list(box.glob("*.eml"))
    monkeypatch.undo()
    assert intake.collect().recorded == 1


def test_a_mail_that_cannot_be_read_is_a_report_for_a_person(box) -> None:
    (box / "huge.eml").write_bytes(b"x" * ((25 << 20) + 1))
    put(box, "later")
    assert intake.collect().recorded == 2
    assert WeaknessReport.objects.filter(answerable=False).count() == 1


def test_a_program_is_not_answered(box) -> None:
    put(box, From="mailer-daemon@example.org")
    found = intake.collect()
    assert (found.recorded, found.answered) == (1, 0)


def test_a_lost_answer_loses_no_report(box, monkeypatch) -> None:
    put(box)

    def fails(**_):
        raise mails_out.MailNotSent("Not now.")

    monkeypatch.setattr(mails_out, "send", fails)
    assert intake.collect().recorded == 1
    assert send(200)
    assert WeaknessReport.objects.count() == 2


def test_whoever_waits_too_long_is_named(later) -> None:
    send()
    assert waiting.unacknowledged() == []
    later(days=10)
    assert [one.reference for one in waiting.unacknowledged()] == [WeaknessReport.objects.get().reference]
    before = len(mails())
    (duty,) = [one for one in declared() if one.name == "proof.remind-reports"]
    assert duty.run().startswith("1 ")
    assert duty.run().startswith("0 ")
    assert len(mails()) == before + 1
    assert waiting.counts().late == 1


def test_a_weakness_that_is_not_fixed_in_time_is_named(later) -> None:
    made = receive()
    acknowledge(made, Severity.CRITICAL)
    later(days=6)
    assert waiting.unfixed() == []
    later(days=3)
    assert waiting.unfixed() == [made]


def receive(**changes) -> WeaknessReport:
    from headshotly.audit.actor import VISITOR

    return reporting.receive(actor=VISITOR, channel=Channel.FORM, words=Words(text="A hole."), **changes)


def acknowledge(made: WeaknessReport, severity: Severity = Severity.LOW) -> None:
    from tests.rights.conftest import DPO

    reporting.acknowledge(actor=DPO, report_id=made.id, severity=severity)


def test_two_who_acknowledge_at_once_do_it_once() -> None:
    made = receive()
    acknowledge(made)
    with pytest.raises(NotNow):
        acknowledge(made)


def test_what_was_written_is_forgotten_two_years_after_closing(later, box) -> None:
    from headshotly.access.warrants import report_warrant
    from tests.rights.conftest import DPO

    put(box)
    intake.collect()
    made = WeaknessReport.objects.get()
    acknowledge(made)
    reporting.close(actor=DPO, report_id=made.id, outcome=Outcome.FIXED)
    member = make_member(Role.SECURITY)
    warrant = report_warrant(member=member, subject=made.subject, reference=made.reference)
    assert reporting.read_words(report=made, warrant=warrant).text == "A hole."
    sealed, original = made.words, made.original
    assert reporting.forget_old() == 0
    later(days=732)
    assert reporting.forget_old() == 1
    assert reporting.forget_old() == 0
    made.refresh_from_db()
    assert (made.words, made.original) == (None, None)
    warrant_now = _fresh(made)
    with pytest.raises(KeyShredded):
        sealed.open(warrant_now)
    with pytest.raises((KeyShredded, ObjectMissing)):
        vault.open(object_id=original, warrant=warrant_now)
    assert Act.WEAKNESS_FORGOTTEN in acts()


def _fresh(made: WeaknessReport):
    from headshotly.vault import minting
    from tests.rights.conftest import DPO

    return minting.mint(
        actor=DPO, subject=made.subject, purpose="test", basis="test", valid_for=dt.timedelta(minutes=1)
    )


def test_closing_without_a_line_thanks_nobody() -> None:
    from tests.rights.conftest import DPO

    made = receive()
    acknowledge(made)
    with pytest.raises(Incomplete):
        reporting.close(actor=DPO, report_id=made.id, outcome=Outcome.FIXED, thank_as="Ada")
    assert json.dumps(list(Thanks.objects.values())) == "[]"
    assert clock.now()
    assert configuration.current()
