"""What the house stops by itself: grants of staff who open what nothing explains, or far too much; and what it leaves."""

import datetime as dt
from uuid import UUID, uuid4

import pytest

from headshotly.access import grants
from headshotly.access.errors import GrantRefused
from headshotly.access.models import Grant
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.audit.sequencing import sequence_once
from headshotly.incidents import alerts, containment, holder_letters, oncall, reacting, staff_watching, timeline
from headshotly.incidents.models import Alert, AlertKind, Case, Containment, HolderLetter, Level
from headshotly.incidents.reading import JournalReader
from headshotly.incidents.stream import Stream
from headshotly.policy import clock
from headshotly.vendors import mail
from tests.access.conftest import make_member
from tests.accounts.conftest import mail_text, mails
from tests.incidents.casework import OFFICER, acts
from tests.incidents.test_alerts import finding

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.clause("5.3.b", "8.1.a-b")]


@pytest.fixture
def member():
    return make_member("support")


@pytest.fixture
def decider():
    return make_member("dpo")


def granted(member, decider, *, minutes: int = 60, subject=None, starts_at=None) -> Grant:
    asked = grants.ask(
        member=member, scope="details", subject=subject or uuid4(), purpose="support-request", ticket="SUP-1",
        minutes=minutes, starts_at=starts_at,
    )  # fmt: skip
    return grants.approve(decider=decider, grant_id=asked.id)


def suspended(grant: Grant) -> bool:
    return Grant.objects.get(id=grant.id).suspended_at is not None


def opened(member, subjects, *, act: Act = Act.FIELD_OPENED, by: Actor | None = None) -> None:
    for subject in subjects:
        audit.record(actor=by or Actor(kind="staff", id=member.id, role=member.role), act=act, subject=subject)
    sequence_once()


def watch(detector) -> None:
    stream = Stream([JournalReader()], detector)
    while stream.step():
        pass
    staff_watching.look()


def must_unexplained(member, _grant) -> None:
    opened(member, [uuid4()])


def must_many(member, _grant) -> None:
    """Fifteen people within an hour, each under a grant of its own."""
    subjects = [uuid4() for _ in range(15)]
    opened(member, subjects, act=Act.GRANT_USED)
    opened(member, subjects)


@pytest.mark.parametrize("happens", [must_unexplained, must_many])
def test_what_must_stop_a_member_s_grants(member, decider, detector, happens) -> None:
    live, later_on = granted(member, decider), granted(member, decider, starts_at=clock.now() + dt.timedelta(hours=2))
    other = granted(make_member("support", "olga"), decider)
    happens(member, live)
    watch(detector)
    assert suspended(live)
    assert suspended(later_on)
    assert not suspended(other)
    with pytest.raises(GrantRefused, match="suspended"):
        grants.use(member=member, grant_id=live.id)
    rows = Containment.objects.filter(measure="grant")
    assert {row.done_by for row in rows} == {None}
    case = Case.objects.get(number=rows[0].case_id)
    assert [row.kind for row in timeline.of(case)].count("contained") == 2
    written = acts()
    assert (written.count(Act.GRANT_SUSPENDED), written.count(Act.CONTAINMENT_APPLIED)) == (2, 2)


def ordinary(member, grant) -> None:
    opened(member, [grant.subject], act=Act.GRANT_USED)
    opened(member, [grant.subject] * 30)


def fourteen(member, _grant) -> None:
    subjects = [uuid4() for _ in range(14)]
    opened(member, subjects, act=Act.GRANT_USED)
    opened(member, subjects)


def by_others(_member, _grant) -> None:
    opened(None, [uuid4() for _ in range(40)], by=Actor(kind="worker", id=uuid4(), role="studio"))
    subject = uuid4()
    opened(None, [subject], by=Actor(kind="customer", id=subject))


def only_asked(member, grant) -> None:
    opened(member, [grant.subject] * 20, act=Act.GRANT_ASKED)


@pytest.mark.parametrize("happens", [ordinary, fourteen, by_others, only_asked])
def test_what_must_not(member, decider, detector, happens) -> None:
    grant = granted(member, decider)
    happens(member, grant)
    watch(detector)
    assert not suspended(grant)
    assert not Containment.objects.exists()
    assert grants.use(member=member, grant_id=grant.id)


def raised(member, rule: str, **changes) -> Alert:
    return alerts.raise_alert(
        finding(
            rule=rule, kind=AlertKind.ANOMALY, actor=f"staff:{member.id}", group={"actor": str(member.id)}, **changes
        )
    )


def test_broken_glass_and_what_is_over_stay_as_they_are(member, decider, later) -> None:
    over = granted(member, decider, minutes=5)
    later(minutes=6)
    live = granted(member, decider)
    glass = grants.break_glass(
        member=member, scope="details", subject=uuid4(), purpose="security-incident", ticket="INC-1",
        reason="A customer is in danger and cannot wait for anybody.",
    )  # fmt: skip
    raised(member, staff_watching.UNEXPLAINED)
    assert [suspended(one) for one in (over, live, glass)] == [False, True, False]
    assert grants.use(member=member, grant_id=glass.id)


@pytest.mark.parametrize(
    ("rule", "stops"), [(staff_watching.UNEXPLAINED, True), (staff_watching.VOLUME, True), (staff_watching.ODD, False)]
)
def test_which_oddities_stop_grants(member, decider, rule, stops) -> None:
    grant = granted(member, decider)
    raised(member, rule)
    assert suspended(grant) is stops


def test_whoever_lets_a_grant_go_is_not_overruled_by_the_same_alert(member, decider) -> None:
    grant = granted(member, decider)
    alert = raised(member, staff_watching.VOLUME)
    [row] = containment.in_force()
    containment.release(actor=OFFICER, containment_id=row.id, because="It was the week of the trade fair.")
    assert grants.use(member=member, grant_id=grant.id)
    assert raised(member, staff_watching.VOLUME, hits=9).id == alert.id
    assert not suspended(grant)


@pytest.mark.parametrize(
    "actor", ["", "staff:", "staff:nobody", f"customer:{UUID(int=7)}", f"staff:{UUID(int=8)}", "system"]
)
def test_an_alert_about_nobody_of_staff_stops_nothing(actor) -> None:
    alerts.raise_alert(finding(rule=staff_watching.UNEXPLAINED, actor=actor, level=Level.CRITICAL))
    assert not Containment.objects.exists()


def test_a_grant_that_ended_meanwhile_hides_no_alert(member, decider, monkeypatch) -> None:
    grant = granted(member, decider)
    monkeypatch.setattr(reacting, "_grants_of", lambda _actor: [grant])
    grants.end(actor=OFFICER, grant_id=grant.id, because="over")
    raised(member, staff_watching.UNEXPLAINED)
    assert Alert.objects.count() == Case.objects.count() == 1
    assert not Containment.objects.exists()


# --- the mail to the holder ------------------------------------------------------------------------------------------


def test_the_holder_is_written_to_when_it_stops_and_when_it_works_again(member, decider) -> None:
    oncall.set_contact(member=member.id, email="support@example.org")
    granted(member, decider)
    raised(member, staff_watching.UNEXPLAINED)
    known = set(mails())
    assert holder_letters.send_due() == 1
    assert holder_letters.send_due() == 0
    [letter] = set(mails()) - known
    assert "support@example.org" in letter.read_text()
    assert "was suspended" in mail_text(letter)
    assert Case.objects.get().reference in mail_text(letter)
    [row] = containment.in_force()
    containment.release(actor=OFFICER, containment_id=row.id, because="It was their own work.")
    known = set(mails())
    assert holder_letters.send_due() == 1
    [again] = set(mails()) - known
    assert "It was their own work." in mail_text(again)


def test_a_holder_without_a_mailbox_is_reached_through_the_house(member, decider) -> None:
    granted(member, decider)
    raised(member, staff_watching.UNEXPLAINED)
    known = set(mails())
    holder_letters.send_due()
    [letter] = set(mails()) - known
    assert "security@headshotly.ai" in letter.read_text()
    assert member.handle in mail_text(letter)


@pytest.mark.parametrize("how", ["did not happen", "happened and reported failure"])
def test_a_mail_that_fails_arrives_once(member, decider, monkeypatch, later, how) -> None:
    granted(member, decider)
    raised(member, staff_watching.UNEXPLAINED)
    before, real = len(mails()), mail.send

    def fails(**message):
        if how != "did not happen":
            real(**message)
        raise mail.MailNotSent("The line broke off.")

    with monkeypatch.context() as broken:
        broken.setattr(mail, "send", fails)
        assert holder_letters.send_due() == 0
    later(minutes=2)
    assert holder_letters.send_due() == 1
    assert len(mails()) == before + 1
    assert HolderLetter.objects.get().state == "sent"


def test_what_rolls_back_writes_to_nobody(member, decider, monkeypatch) -> None:
    grant = granted(member, decider)

    def fails(*_row, **_named) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(holder_letters, "queue", fails)
        with pytest.raises(RuntimeError):
            raised(member, staff_watching.UNEXPLAINED)
    assert not suspended(grant)
    assert [model.objects.count() for model in (Alert, HolderLetter, Containment)] == [0, 0, 0]
