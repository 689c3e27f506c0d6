"""Cases: opened from alerts, break-glass and by hand, called about, taken, moved, closed; a timeline nobody changes."""

import dataclasses
import datetime as dt
from uuid import uuid4

import pytest

from headshotly.access import grants
from headshotly.audit.acts import Act
from headshotly.incidents import alerts, calls, case_selectors, cases, containment, oncall, reminders, timeline
from headshotly.incidents.errors import Incomplete, NotFound, NotNow
from headshotly.incidents.escalation import Channel, Duty, News
from headshotly.incidents.models import Alert, Call, CallState, Case, CaseAlert, Level, TimelineEntry
from headshotly.incidents.phases import LIMITS, Origin, Outcome, Phase, Severity
from headshotly.policy import clock
from headshotly.policy.refusal import Refusal
from headshotly.vendors import mail, webhooks
from tests.access.conftest import at_desk, make_member
from tests.accounts.conftest import mail_text, mails
from tests.incidents.casework import OFFICER, SENTENCE, acts, hooks_written, move_to, open_case, sequenced, taken
from tests.incidents.test_alerts import finding

pytestmark = pytest.mark.django_db(databases="__all__")
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def everywhere(settings):
    """Chat and pager are set up."""
    options = {
        "oncall.chat": "https://chat.example/hooks/1",
        "oncall.pager": "https://pager.example/v2/enqueue",
        "oncall.pager_key": "routing",
    }
    settings.HEADSHOTLY = dataclasses.replace(settings.HEADSHOTLY, options={**settings.HEADSHOTLY.options, **options})
    return settings


@pytest.mark.clause("5.3.b")
@pytest.mark.parametrize(
    ("level", "severity"),
    [(Level.CRITICAL, "critical"), (Level.HIGH, "high"), (Level.MEDIUM, "medium"), (Level.LOW, None)],
)
def test_an_alert_opens_a_case_with_owner_severity_and_clock(level, severity) -> None:
    officer = make_member("security-officer")
    now = clock.now()
    oncall.assign(actor=OFFICER, duty=Duty.FIRST, holder=officer.id, begins_at=now - HOUR, ends_at=now + HOUR)
    alert = alerts.raise_alert(finding(level=level))
    if severity is None:
        assert not Case.objects.exists()
        return
    case = CaseAlert.objects.get(alert=alert).case
    assert (case.severity, case.owner, case.origin) == (severity, officer.id, Origin.ALERT)
    assert case_selectors.due_of(case).at > clock.now() - HOUR
    assert timeline.of(case)[0].words == alert.sentence


@pytest.mark.clause("5.3.b")
def test_one_attack_is_one_case_however_many_alerts_it_raises() -> None:
    first = alerts.raise_alert(finding(level=Level.MEDIUM))
    alerts.raise_alert(finding(level=Level.MEDIUM))
    graver = alerts.raise_alert(finding(level=Level.CRITICAL, began="2"))
    elsewhere = alerts.raise_alert(finding(group={"address": "ip-2"}))
    case = CaseAlert.objects.get(alert=first).case
    assert CaseAlert.objects.get(alert=graver).case == case
    assert CaseAlert.objects.get(alert=elsewhere).case != case
    assert Case.objects.count() == 2
    case.refresh_from_db()
    assert case.severity == Severity.CRITICAL
    cases.take(actor=OFFICER, number=case.number)
    cases.dismiss(actor=OFFICER, number=case.number, outcome=Outcome.FALSE_ALARM, because=SENTENCE)
    again = alerts.raise_alert(finding(began="3"))
    assert CaseAlert.objects.get(alert=again).case != case, "what comes back after the end is a case of its own"


@pytest.mark.clause("2.4.c", "5.3.b")
def test_break_glass_opens_a_case(customer) -> None:
    member = make_member("support")
    grant = grants.break_glass(
        member=member, scope="photo", subject=customer.id, purpose="security-incident", ticket="SUP-7",
        reason="A customer is on the telephone and cannot wait for anybody.",
    )  # fmt: skip
    case = Case.objects.get(origin=Origin.GLASS, origin_id=grant.id)
    assert case.severity == Severity.HIGH
    assert "SUP-7" in timeline.of(case)[0].words
    assert mail_text(mails()[-1]), "the two mails of break-glass went before"


def test_a_case_by_hand_is_refused_without_words_and_with_addresses() -> None:
    for changes in ({"title": " "}, {"words": ""}, {"words": "ada@example.org saw it"}, {"title": "x" * 161}):
        with pytest.raises(Incomplete):
            open_case(**changes)
    assert not Case.objects.exists()


@pytest.mark.clause("8.1.a-b")
def test_calls_climb_the_ladder_until_somebody_takes_the_case(everywhere, later) -> None:
    first, second = make_member("security-officer"), make_member("operations")
    now = clock.now()
    for duty, member in ((Duty.FIRST, first), (Duty.SECOND, second)):
        oncall.assign(actor=OFFICER, duty=duty, holder=member.id, begins_at=now - HOUR, ends_at=now + 3 * HOUR)
    oncall.set_contact(member=first.id, email="first@example.org")
    before = len(mails())
    case = open_case(Severity.CRITICAL)
    assert calls.send_due() == 3
    assert calls.send_due() == 0
    (letter,) = [path for path in mails()[before:] if "critical" in path.name] or mails()[-1:]
    assert "first@example.org" in letter.read_text()
    assert case.reference in mail_text(letter)
    chat, pager = sorted((one["message"] for one in hooks_written()), key=lambda one: "payload" in one)
    assert case.reference in chat["text"]
    assert (pager["routing_key"], pager["payload"]["severity"]) == ("routing", "critical")
    later(minutes=6)
    calls.escalate()
    assert calls.escalate() == 0, "a step is called once"
    assert Call.objects.filter(case=case, step=2, channel=Channel.MAIL).get().holder == second.id
    cases.take(actor=OFFICER, number=case.number)
    later(hours=2)
    calls.escalate()
    assert set(Call.objects.filter(news=News.NEEDED).values_list("step", flat=True)) == {1, 2}
    assert Act.CASE_ESCALATED in acts()


def test_nobody_on_call_reaches_the_house_and_says_so() -> None:
    case = open_case(Severity.LOW)
    calls.send_due()
    text = mail_text(mails()[-1])
    assert "security@headshotly.ai" in mails()[-1].read_text()
    assert "Nobody is on call" in text
    assert set(oncall.uncovered(at=clock.now())) == set(Duty)
    assert case.owner is None


@pytest.mark.parametrize("how", ["did not happen", "happened and reported failure"])
def test_a_call_that_fails_is_tried_again_and_arrives_once(monkeypatch, later, how) -> None:
    open_case(Severity.LOW)
    before, real = len(mails()), mail.send

    def fails(**message):
        if how != "did not happen":
            real(**message)
        raise mail.MailNotSent("The line broke off.")

    monkeypatch.setattr(mail, "send", fails)
    assert calls.send_due() == 0
    assert Call.objects.get().state == CallState.QUEUED
    monkeypatch.setattr(mail, "send", real)
    later(minutes=2)
    assert calls.send_due() == 1
    assert len(mails()) == before + 1


def test_a_call_is_given_up_in_the_end_and_the_journal_says_so(monkeypatch, later, everywhere) -> None:
    open_case(Severity.MEDIUM)

    def fails(*_arguments, **_named):
        raise webhooks.NotPosted("Not now.")

    monkeypatch.setattr(webhooks, "post", fails)
    for _ in range(calls.ATTEMPTS_MAX + 2):
        calls.send_due()
        later(hours=2)
    assert Call.objects.get(channel=Channel.WEBHOOK, step=1).state == CallState.FAILED
    assert Act.CALL_FAILED in acts()


def pages() -> list[str]:
    """What the pager was told, oldest first."""
    return [one["message"]["event_action"] for one in hooks_written() if "event_action" in one["message"]]


@pytest.mark.clause("8.1.a-b")
def test_whoever_takes_a_case_stops_the_page_and_its_end_ends_it(everywhere, later) -> None:
    case = open_case(Severity.CRITICAL)
    calls.send_due()
    cases.take(actor=OFFICER, number=case.number)
    cases.take(actor=OFFICER, number=case.number)
    assert calls.send_due() == 1
    cases.dismiss(actor=OFFICER, number=case.number, outcome=Outcome.FALSE_ALARM, because=SENTENCE)
    later(minutes=1)
    assert calls.send_due() == 1
    assert pages() == ["trigger", "acknowledge", "resolve"]
    told = [one["message"] for one in hooks_written() if "event_action" in one["message"]]
    assert {one["dedup_key"] for one in told} == {f"headshotly-{case.reference}"}
    assert set(told[1]) == {"routing_key", "event_action", "dedup_key"}
    later(days=1)
    calls.escalate()
    assert calls.send_due() == 0


def test_a_case_that_paged_nobody_tells_the_pager_nothing(everywhere) -> None:
    case = open_case(Severity.MEDIUM)
    cases.take(actor=OFFICER, number=case.number)
    assert not Call.objects.exclude(news=News.NEEDED).exists()


@pytest.mark.parametrize("how", ["did not happen", "happened and reported failure"])
@pytest.mark.parametrize("action", ["trigger", "acknowledge", "resolve"])
def test_a_pager_that_fails_hears_everything_once_and_in_turn(monkeypatch, later, everywhere, how, action) -> None:
    real = webhooks.post

    def fails(url, document, *, once):
        if document.get("event_action") != action or how != "did not happen":
            real(url, document, once=once)
        if document.get("event_action") == action:
            raise webhooks.NotPosted("The line broke off.")

    case = open_case(Severity.CRITICAL)
    with monkeypatch.context() as broken:
        broken.setattr(webhooks, "post", fails)
        calls.send_due()
        cases.take(actor=OFFICER, number=case.number)
        calls.send_due()
        cases.dismiss(actor=OFFICER, number=case.number, outcome=Outcome.FALSE_ALARM, because=SENTENCE)
        calls.send_due()
    for _ in range(4):
        later(minutes=3)
        calls.send_due()
    woken = ["trigger"] if (action, how) != ("trigger", "did not happen") else []
    assert pages() == [*woken, "acknowledge", "resolve"], "nobody is woken for what somebody took"


def test_news_waits_for_a_page_that_another_process_is_handing_over(everywhere, later) -> None:
    case = open_case(Severity.CRITICAL)
    Call.objects.filter(channel=Channel.PAGER).update(state=CallState.SENDING, next_at=clock.now() + 2 * calls.PAUSE)
    cases.take(actor=OFFICER, number=case.number)
    calls.send_due()
    assert pages() == []
    later(minutes=2)
    calls.send_due()
    later(minutes=2)
    calls.send_due()
    assert pages() == ["trigger", "acknowledge"]


def test_a_crash_between_claim_and_call_is_taken_up_again(monkeypatch, later) -> None:
    open_case(Severity.LOW)

    class Crash(BaseException):
        pass

    def crash(**_message):
        raise Crash

    real = mail.send
    monkeypatch.setattr(mail, "send", crash)
    with pytest.raises(Crash):
        calls.send_due()
    monkeypatch.setattr(mail, "send", real)
    assert calls.send_due() == 0, "somebody holds it"
    later(minutes=3)
    assert calls.send_due() == 1


@pytest.mark.clause("8.1.a-b")
def test_a_case_from_the_first_sign_to_the_lessons() -> None:
    case = taken()
    cases.judge_personal_data(actor=OFFICER, number=case.number, touched=False, because=SENTENCE)
    move_to(case, Phase.CLOSED)
    case.refresh_from_db()
    assert (case.outcome, case.phase) == (Outcome.INCIDENT, Phase.CLOSED)
    assert case.contained_at is not None
    told = [row.words.split(":")[0] for row in timeline.of(case) if row.kind in {"phase", "closed"}]
    assert told == [
        "Detection → Containment",
        "Containment → Eradication",
        "Eradication → Recovery",
        "Recovery → Communication",
        "Communication → Lessons",
        "Lessons → Closed",
    ]
    with pytest.raises(NotNow, match="closed"):
        cases.note(actor=OFFICER, number=case.number, words="Too late.")


def test_what_keeps_a_case_back_is_said_all_at_once() -> None:
    case = open_case()
    with pytest.raises(NotNow, match=r"own the case.*What happened") as refusal:
        cases.move(actor=OFFICER, number=case.number, to=Phase.CONTAINMENT, words="short")
    assert "sentence" in refusal.value.sentence
    with pytest.raises(NotFound):
        cases.get(999)


def test_an_incident_is_not_dismissed() -> None:
    case = taken()
    containment.contain(
        actor=OFFICER, number=case.number, measure_id="read-only", target="", because="Something changes data."
    )
    for outcome in (Outcome.FALSE_ALARM, Outcome.INCIDENT):
        with pytest.raises(NotNow):
            cases.dismiss(actor=OFFICER, number=case.number, outcome=outcome, because=SENTENCE)
    assert containment.read_only()
    containment.release(actor=OFFICER, containment_id=containment.in_force()[0].id, because="It was us ourselves.")
    cases.dismiss(actor=OFFICER, number=case.number, outcome=Outcome.FALSE_ALARM, because=SENTENCE)
    assert not containment.read_only()


@pytest.mark.clause("5.3.b")
def test_a_case_past_its_clock_is_named_and_told(later) -> None:
    case = open_case(Severity.CRITICAL)
    assert case_selectors.late() == []
    later(minutes=16)
    assert [line.case.number for line in case_selectors.late()] == [case.number]
    cases.take(actor=OFFICER, number=case.number)
    assert case_selectors.late() == []
    later(hours=4)
    assert [line.due.what for line in case_selectors.late()] == ["contain"]
    before = len(mails())
    assert reminders.remind() == 1
    assert len(mails()) == before + 2
    assert "OVERDUE" in mail_text(mails()[-1])


@pytest.mark.clause("5.3.b")
@pytest.mark.parametrize("severity", Severity)
def test_a_new_case_is_not_said_to_run_out(severity: Severity, later) -> None:
    case = open_case(severity)
    assert reminders.urgent() == []
    assert reminders.remind() == 0
    limit = LIMITS[severity].acknowledge
    later(seconds=int(limit.total_seconds() * 0.7))
    assert severity is not Severity.LOW or case_selectors.open_lines()[0].left > dt.timedelta(hours=21)
    assert reminders.urgent() == []
    later(seconds=int(limit.total_seconds() * 0.1))
    assert [line.split(":")[0] for line in reminders.urgent()] == [f"{case.reference}  acknowledge"]
    assert "by 20" in reminders.urgent()[0]
    later(seconds=int(limit.total_seconds() * 0.3))
    assert "OVERDUE since" in reminders.urgent()[0]
    reminders.remind()
    assert "Incident clocks: 1 over" in mails()[-1].read_text()


@pytest.mark.clause("8.1.a-b")
@pytest.mark.parametrize("how", ["changed", "removed"])
def test_a_changed_timeline_is_found_by_the_journal(how) -> None:
    case = taken()
    cases.note(actor=OFFICER, number=case.number, words="The intruder came at nine.")
    sequenced()
    assert timeline.altered(case) == []
    row = TimelineEntry.objects.get(kind="note")
    if how == "changed":
        TimelineEntry.objects.filter(id=row.id).update(words="Nobody came.")
    else:
        TimelineEntry.objects.filter(id=row.id).delete()
    assert timeline.altered(case) == [row.id]


def test_the_rota_takes_only_those_who_can_and_forgets_who_left(later) -> None:
    support, officer = make_member("support"), make_member("security-officer")
    now = clock.now()
    with pytest.raises(Incomplete, match="role"):
        oncall.assign(actor=OFFICER, duty=Duty.FIRST, holder=support.id, begins_at=now, ends_at=now + HOUR)
    for begins, ends in ((now, now), (now, now + 32 * 24 * HOUR), (now - 2 * HOUR, now - HOUR)):
        with pytest.raises(Incomplete, match="shift"):
            oncall.assign(actor=OFFICER, duty=Duty.FIRST, holder=officer.id, begins_at=begins, ends_at=ends)
    shift = oncall.assign(actor=OFFICER, duty=Duty.FIRST, holder=officer.id, begins_at=now, ends_at=now + HOUR)
    assert oncall.holder(Duty.FIRST, now) == officer.id
    containment.contain(
        actor=OFFICER, number=None, measure_id="staff", target=str(officer.id), because="Their laptop was stolen."
    )
    assert oncall.holder(Duty.FIRST, now) is None
    oncall.remove(actor=OFFICER, shift_id=shift.id)
    assert oncall.rota(since=now, until=now + HOUR) == []


def test_a_contact_is_sealed_and_an_unreadable_one_falls_back() -> None:
    from headshotly.incidents.models import Contact

    officer = make_member("security-officer")
    with pytest.raises(Incomplete):
        oncall.set_contact(member=officer.id, email="no address")
    oncall.set_contact(member=officer.id, email="officer@example.org")
    assert oncall.mailbox(Duty.FIRST, officer.id) == "officer@example.org"
    assert b"officer@" not in bytes(Contact.objects.values_list("email", flat=True).get())
    Contact.objects.update(email=b"broken")
    assert oncall.mailbox(Duty.FIRST, officer.id) == "security@headshotly.ai"
    oncall.set_contact(member=officer.id, email="")
    assert not oncall.has_contact(officer.id)


def test_grants_whose_ticket_names_the_case_stand_in_it(customer) -> None:
    case, officer = open_case(), make_member("security-officer")
    fields = {"scope": "details", "subject": customer.id, "purpose": "security-incident", "minutes": 30}
    named = grants.ask(member=officer, ticket=case.reference, **fields)
    grants.ask(member=officer, ticket="SUP-1", **fields)
    assert [(grant.id, state) for grant, state in case_selectors.grants_of(case)] == [(named.id, "asked")]
    assert str(named.id) in at_desk(officer).get(f"/staff/incidents/cases/{case.number}/").content.decode()


def test_the_pages_of_a_case_as_its_visitors_use_them() -> None:
    officer, auditor, other = make_member("security-officer"), make_member("auditor"), make_member("operations")
    desk = at_desk(officer)
    answer = desk.post(
        "/staff/incidents/cases/open/",
        {"title": "A strange mail", "words": "Somebody wrote to us.", "severity": "high", "origin": "report"},
    )
    case = Case.objects.get()
    where = f"/staff/incidents/cases/{case.number}/"
    assert answer.url == where
    page = desk.get("/staff/incidents/").content.decode()
    assert "not taken" in page
    assert "1</strong> nobody has taken" in page
    steps = [
        {"what": "take"},
        {"what": "rate", "severity": "critical", "words": "They have a key."},
        {"what": "note", "words": "We called them.", "happened_at": "2026-01-05T10:00"},
        {"what": "hand-over", "to": str(other.id)},
        {"what": "personal-data", "touched": "no", "words": SENTENCE},
        {"what": "move", "to": "containment", "words": SENTENCE},
    ]
    for fields in steps:
        assert desk.post(f"{where}step/", fields).status_code == 302, fields
    for fields in (
        {"what": "nothing"},
        {"what": "move", "to": "closed", "words": SENTENCE},
        {"what": "rate", "severity": "x"},
    ):
        assert desk.post(f"{where}step/", fields).status_code in {409, 422}, fields
    page = desk.get(where).content.decode()
    for words in ("They have a key.", "We called them.", "Handed over to operations-one.", "Stop something"):
        assert words in page
    shown = at_desk(auditor).get(where).content.decode()
    assert "Stop something" not in shown
    assert "Take this case" not in shown
    assert at_desk(auditor).post(f"{where}step/", {"what": "take"}).status_code == 403
    assert desk.get("/staff/incidents/cases/999/").status_code == 404


def test_an_alert_that_opened_nothing_becomes_a_case_by_hand() -> None:
    alert = alerts.raise_alert(finding(level=Level.LOW))
    desk = at_desk(make_member("security-officer"))
    assert desk.post(f"/staff/incidents/alerts/{alert.id}/case/").status_code == 302
    assert desk.post(f"/staff/incidents/alerts/{alert.id}/case/").status_code == 302
    assert CaseAlert.objects.get(alert=Alert.objects.get()).case == Case.objects.get()
    assert desk.post(f"/staff/incidents/alerts/{uuid4()}/case/").status_code == 404


def test_the_rota_on_its_page() -> None:
    officer = make_member("security-officer")
    desk = at_desk(officer)
    local = {"begins_at": f"{clock.now():%Y-%m-%dT%H:%M}", "ends_at": f"{clock.now() + 48 * HOUR:%Y-%m-%dT%H:%M}"}
    fields = {"what": "assign", "duty": "first", "holder": str(officer.id), **local}
    assert desk.post("/staff/incidents/on-call/step/", fields).status_code == 302
    assert (
        desk.post("/staff/incidents/on-call/step/", {"what": "contact", "email": "me@example.org"}).status_code == 302
    )
    page = desk.get("/staff/incidents/on-call/").content.decode()
    assert "security-officer-one" in page
    assert "You gave one" in page
    assert desk.post("/staff/incidents/on-call/step/", {"what": "assign", "duty": "first"}).status_code == 422


def test_every_refusal_is_plain() -> None:
    assert issubclass(NotNow, Refusal)
    case = open_case()
    with pytest.raises(NotNow, match="ahead"):
        cases.note(actor=OFFICER, number=case.number, words="Tomorrow.", happened_at=clock.now() + HOUR)
