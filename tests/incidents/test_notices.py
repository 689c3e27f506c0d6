"""Notices hold all they must, stay as they were released, and reach everybody once."""

import datetime as dt
import hashlib
import io
import json
import os
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from headshotly.audit.acts import Act
from headshotly.incidents import (
    authority_notice,
    breach_selectors,
    breaches,
    letters,
    notices,
    people_letters,
)
from headshotly.incidents.assessment import Risk
from headshotly.incidents.errors import Incomplete, NotFound, NotNow
from headshotly.incidents.models import Evidence, Letter, Notice, NoticePhase
from headshotly.incidents.notices import Confirmation
from headshotly.incidents.obligations import Addressee, Standing
from headshotly.policy import clock
from headshotly.studio import services as studio
from headshotly.vault import wiring
from headshotly.vendors import mail, posting
from headshotly.vendors.posting import PostState
from tests.access.conftest import at_desk, make_member
from tests.accounts.conftest import mail_text, mails
from tests.incidents.casework import DPO, SENTENCE, acts, all_words, breach_of, taken

pytestmark = pytest.mark.django_db(databases="__all__")
REPOSITORY = Path(__file__).resolve().parents[2]


def words_of(pdf: bytes) -> str:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(pdf))
    return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)


@pytest.fixture
def told(make_person):
    """A breach of three people's photos at a high risk, with everything written."""
    people = [make_person(f"person-{number}@example.org") for number in range(3)]
    breach = breach_of(taken(), states=("DE",))
    number = breach.case_id
    breaches.scope_everybody(
        actor=DPO, number=number, kinds=frozenset({"photo", "email", "password"}), because=SENTENCE
    )
    breaches.say(actor=DPO, number=number, words=all_words())
    breaches.judge(actor=DPO, number=number, risk=Risk.HIGH, because=SENTENCE)
    breach = breaches.of_case(number)
    breach.everybody = people
    return breach


def release(breach, addressee: Addressee, phase: NoticePhase = NoticePhase.COMPLETE, **more) -> Notice:
    return notices.release(actor=DPO, number=breach.case_id, addressee=addressee, phase=phase, **more)


def standing(breach, addressee: Addressee) -> Standing:
    found = {one.addressee: one for one in breach_selectors.obligations_of(breaches.of_case(breach.case_id))}
    return found[addressee].standing


# --- what they hold --------------------------------------------------------------------------------------------------


@pytest.mark.clause("8.3.a")
def test_the_authority_reads_everything_article_33_wants_in_both_languages(told) -> None:
    drafted = notices.draft(told, Addressee.AUTHORITY)
    assert drafted.missing == ()
    rules = {field.rule for field in authority_notice.fields()}
    assert {"Art. 33(3)(a)", "Art. 33(3)(b)", "Art. 33(3)(c)", "Art. 33(3)(d)", "Art. 33(1)", "Art. 33(4)"} <= rules
    ids = {field.id for field in authority_notice.fields()}
    asked_by_the_form = {
        "phase", "aware", "found", "began", "ended", "late", "cause", "confidentiality", "integrity", "availability",
        "safeguards", "told", "states", "people", "records", "kinds", "categories", "officer", "consequences", "keys",
    }  # fmt: skip
    assert asked_by_the_form <= ids
    row = release(told, Addressee.AUTHORITY)
    english, polish = (words_of(notices.pdf_of(row, language=language)) for language in ("en", "pl"))
    for field in authority_notice.fields():
        assert field.label.en in english
        assert field.label.pl in polish
    for words in ("privacy@headshotly.ai", "about 3", "uploaded photos (faces)", "DE", "English words about nature."):
        assert words in english
    assert "zażółć gęślą jaźń" in polish
    assert row.sha256 in "".join(english.split())


@pytest.mark.clause("8.3.a")
@pytest.mark.parametrize("part", ["nature", "found", "taken", "proposed", "safeguards"])
@pytest.mark.parametrize("language", ["en", "pl"])
def test_a_part_that_is_missing_keeps_a_notice_back(told, part, language) -> None:
    words = all_words()
    words[part] = {key: text for key, text in words[part].items() if key != language}
    breaches.say(actor=DPO, number=told.case_id, words=words)
    with pytest.raises(Incomplete, match=rf"\({language}\)"):
        release(told, Addressee.AUTHORITY)
    if part in {"nature", "taken", "proposed"}:
        with pytest.raises(Incomplete):
            release(told, Addressee.PEOPLE)
    assert not Notice.objects.exists()


@pytest.mark.clause("8.3.b")
def test_a_letter_to_people_holds_what_article_34_wants(told) -> None:
    release(told, Addressee.PEOPLE)
    title, text = letters.text_of(Notice.objects.get())
    assert title == "About the security of your data / Informacja o naruszeniu ochrony Państwa danych"
    for words in (
        "WHAT HAPPENED", "CO SIĘ STAŁO", "English words about nature.", "Data Protection Officer", "privacy@headshotly.ai",
        "loss of control over one's own data", "English words about taken.", "English words about proposed.",
        "Choose a new password", "utrata kontroli", "Mogą Państwo złożyć skargę",
    ):  # fmt: skip
        assert words in text, words
    assert letters.text_of(Notice.objects.get(), first="pl")[0].startswith("Informacja")


@pytest.mark.clause("8.3.c")
def test_the_californian_notice_has_the_title_the_headings_and_the_size_of_the_statute(told) -> None:
    row = release(told, Addressee.RESIDENTS)
    content = row.content["en"]
    assert content["title"] == "Notice of Data Breach"
    assert [heading for heading, _ in content["headings"]] == [
        "What Happened",
        "What Information Was Involved",
        "What We Are Doing",
        "What You Can Do",
        "For More Information",
    ]
    assert people_letters.CALIFORNIA_POINTS >= 10
    pdf = words_of(notices.pdf_of(row, language="en"))
    assert "not delayed by law enforcement" in pdf
    assert "Date of this notice" in pdf
    with pytest.raises(NotFound):
        notices.pdf_of(row, language="pl")


@pytest.mark.clause("8.3.c")
def test_the_attorney_general_gets_a_copy_with_a_cover_and_no_names(told) -> None:
    breaches.state_residents(actor=DPO, number=told.case_id, residents=3, because=SENTENCE)
    release(told, Addressee.RESIDENTS)
    letters.queue_due()
    letters.send_due()
    assert standing(told, Addressee.ATTORNEY_GENERAL) is Standing.NOT_OWED, "three are not more than 500"
    row = release(told, Addressee.ATTORNEY_GENERAL)
    pdf = words_of(notices.pdf_of(row, language="en"))
    assert "Number of residents: 3" in pdf
    assert "example.org" not in pdf
    assert str(told.everybody[0].id) not in pdf


# --- how they are released and sent ----------------------------------------------------------------------------------


@pytest.mark.clause("8.3.a")
def test_phases_follow_one_another(told) -> None:
    with pytest.raises(NotNow):
        release(told, Addressee.AUTHORITY, NoticePhase.SUPPLEMENTARY)
    first = release(told, Addressee.AUTHORITY, NoticePhase.INITIAL)
    with pytest.raises(NotNow, match="waits to be sent"):
        release(told, Addressee.AUTHORITY, NoticePhase.INITIAL)
    notices.record_sent(actor=DPO, notice_id=first.id, how="biznes.gov.pl", receipt="UPO-1")
    assert standing(told, Addressee.AUTHORITY) is Standing.PARTLY
    with pytest.raises(NotNow):
        release(told, Addressee.AUTHORITY, NoticePhase.COMPLETE)
    second = release(told, Addressee.AUTHORITY, NoticePhase.SUPPLEMENTARY, more_follows=True)
    assert "UPO-1" in second.content["fields"]["earlier"]["en"]
    notices.record_sent(actor=DPO, notice_id=second.id, how="biznes.gov.pl", receipt="UPO-2")
    assert standing(told, Addressee.AUTHORITY) is Standing.PARTLY
    third = release(told, Addressee.AUTHORITY, NoticePhase.SUPPLEMENTARY)
    notices.record_sent(actor=DPO, notice_id=third.id, how="biznes.gov.pl", receipt="UPO-3")
    assert standing(told, Addressee.AUTHORITY) is Standing.DONE
    with pytest.raises(NotNow, match="already"):
        notices.record_sent(actor=DPO, notice_id=third.id, how="biznes.gov.pl", receipt="UPO-4")
    assert {Act.NOTICE_RELEASED, Act.NOTICE_SENT} <= set(acts())


@pytest.mark.clause("8.3.a")
def test_the_authority_s_paper_is_sealed_with_the_sending(told) -> None:
    row = release(told, Addressee.AUTHORITY)
    paper = Confirmation(b"%PDF-1.7 UPO", "application/pdf")
    with pytest.raises(Incomplete):
        notices.record_sent(actor=DPO, notice_id=row.id, how="ePUAP", receipt="1", confirmation=Confirmation(b""))
    assert standing(told, Addressee.AUTHORITY) is Standing.OPEN
    sent = notices.record_sent(actor=DPO, notice_id=row.id, how="ePUAP", receipt="UPO-1", confirmation=paper)
    assert sent.confirmation.title == "Confirmation of notice 1 to supervisory authority"
    assert sent.confirmation.sha256 == hashlib.sha256(paper.data).hexdigest()
    with pytest.raises(NotNow, match="already"):
        notices.record_sent(actor=DPO, notice_id=row.id, how="ePUAP", receipt="UPO-1", confirmation=paper)
    assert Evidence.objects.count() == 1, "a second try leaves no second paper"
    stored = b"".join(path.read_bytes() for path in wiring.object_store()._folder.rglob("*") if path.is_file())
    assert paper.data not in stored


@pytest.mark.clause("8.3.a")
def test_a_late_notice_needs_its_reasons(told, later) -> None:
    later(hours=80)
    with pytest.raises(Incomplete, match="Reasons for the delay"):
        release(told, Addressee.AUTHORITY)
    breaches.excuse_delay(actor=DPO, number=told.case_id, because="The vendor answered only after four days.")
    row = release(told, Addressee.AUTHORITY)
    assert "four days" in row.content["fields"]["late"]["pl"]


def test_an_initial_notice_may_leave_open_what_is_not_known_yet(db_all) -> None:
    breach = breach_of(taken())
    words = {part: both for part, both in all_words().items() if part in {"nature", "found"}}
    breaches.say(actor=DPO, number=breach.case_id, words=words)
    assert notices.draft(breaches.of_case(breach.case_id), Addressee.AUTHORITY, phase=NoticePhase.COMPLETE).missing
    assert release(breach, Addressee.AUTHORITY, NoticePhase.INITIAL).phase == NoticePhase.INITIAL


def test_what_was_released_never_changes(told) -> None:
    row = release(told, Addressee.AUTHORITY)
    before = notices.pdf_of(row, language="pl")
    breaches.say(actor=DPO, number=told.case_id, words={"nature": {"en": "Something else.", "pl": "Coś innego."}})
    row.refresh_from_db()
    assert notices.pdf_of(row, language="pl") == before
    assert notices.digest(row.content) == row.sha256
    with pytest.raises(NotNow):
        notices.record_sent(
            actor=DPO, notice_id=row.id, how="post", receipt="1", sent_at=clock.now() + dt.timedelta(hours=1)
        )
    with pytest.raises(NotFound):
        notices.record_sent(actor=DPO, notice_id=uuid4(), how="post", receipt="1")


def test_the_officer_gets_pages_and_data_by_mail_once(told) -> None:
    row = release(told, Addressee.AUTHORITY)
    before = len(mails())
    notices.mail_to_officer(row)
    notices.mail_to_officer(row)
    assert len(mails()) == before + 1
    message = message_from_bytes(
        max(mails(), key=lambda path: path.stat().st_mtime_ns).read_bytes(), policy=policy.default
    )
    names = [part.get_filename() for part in message.iter_attachments()]
    assert [name.rsplit("-", 1)[-1] for name in names[:2]] == ["pl.pdf", "en.pdf"]
    data = next(part for part in message.iter_attachments() if part.get_filename().endswith(".json"))
    assert json.loads(data.get_content())["fields"] == row.content["fields"]


def test_no_letter_is_released_to_people_nobody_owes_one(db_all, person) -> None:
    breach = breach_of(taken())
    breaches.scope_everybody(actor=DPO, number=breach.case_id, kinds=frozenset({"photo"}), because=SENTENCE)
    breaches.say(actor=DPO, number=breach.case_id, words=all_words())
    with pytest.raises(NotNow, match="not judged yet"):
        release(breach, Addressee.PEOPLE)
    with pytest.raises(NotNow, match="does not apply"):
        release(breach, Addressee.RESIDENTS)


def test_law_enforcement_keeps_the_residents_letter_back(told) -> None:
    until = clock.now().date() + dt.timedelta(days=5)
    breaches.delay_for_law_enforcement(actor=DPO, number=told.case_id, until=until, because="The FBI asked in writing.")
    with pytest.raises(NotNow, match="asked to wait"):
        release(told, Addressee.RESIDENTS)


# --- letters ---------------------------------------------------------------------------------------------------------


@pytest.mark.clause("8.3.b")
def test_everybody_is_told_once_and_the_clock_stops_when_the_last_is_out(told) -> None:
    before = len(mails())
    release(told, Addressee.PEOPLE)
    assert standing(told, Addressee.PEOPLE) is Standing.OPEN
    assert (letters.queue_due(), letters.queue_due()) == (3, 0)
    assert letters.send_due(most=2) == 2
    assert standing(told, Addressee.PEOPLE) is Standing.OPEN
    assert (letters.send_due(), letters.send_due()) == (1, 0)
    assert standing(told, Addressee.PEOPLE) is Standing.DONE
    assert len(mails()) == before + 3
    newest = sorted(mails(), key=lambda path: path.stat().st_mtime_ns)[-3:]
    assert {message_from_bytes(path.read_bytes(), policy=policy.default)["To"] for path in newest} == {
        person.email for person in told.everybody
    }
    assert all("English words about nature." in mail_text(path) for path in newest)
    with pytest.raises(NotNow, match="already"):
        release(told, Addressee.PEOPLE)


def test_a_breach_that_grows_is_told_to_the_new_people_only(told, make_person) -> None:
    release(told, Addressee.PEOPLE)
    letters.queue_due()
    letters.send_due()
    late = make_person("late@example.org")
    before = len(mails())
    breaches.scope_everybody(actor=DPO, number=told.case_id, kinds=frozenset({"photo"}), because=SENTENCE)
    assert letters.queue_due() == 1
    assert standing(told, Addressee.PEOPLE) is Standing.OPEN
    assert letters.send_due() == 1
    assert standing(told, Addressee.PEOPLE) is Standing.DONE
    assert len(mails()) == before + 1
    assert Letter.objects.filter(subject=late.id).get().state == PostState.SENT


def test_who_left_before_is_marked_and_keeps_nobody_waiting(told) -> None:
    release(told, Addressee.PEOPLE)
    letters.queue_due()
    gone = told.everybody[0]
    studio.delete_everything(actor=gone.actor, subject=gone.id)
    letters.send_due()
    assert Letter.objects.get(subject=gone.id).state == PostState.GONE
    assert standing(told, Addressee.PEOPLE) is Standing.DONE


@pytest.mark.clause("8.3.b")
@pytest.mark.parametrize("how", ["did not happen", "happened and reported failure"])
def test_a_letter_that_fails_is_tried_again_and_arrives_once(told, monkeypatch, later, how) -> None:
    release(told, Addressee.PEOPLE)
    letters.queue_due()
    before, real = len(mails()), mail.send

    def fails(**message):
        if how != "did not happen":
            real(**message)
        raise mail.MailNotSent("The line broke off.")

    monkeypatch.setattr(mail, "send", fails)
    assert letters.send_due() == 0
    assert standing(told, Addressee.PEOPLE) is Standing.OPEN
    monkeypatch.setattr(mail, "send", real)
    later(hours=1)
    assert letters.send_due() == 3
    assert len(mails()) == before + 3


@pytest.mark.clause("8.3.b")
def test_whom_no_letter_reaches_must_be_told_another_way(told, monkeypatch, later) -> None:
    release(told, Addressee.PEOPLE)
    letters.queue_due()
    real, lost = mail.send, told.everybody[1].email

    def fails(**message):
        if message["to"] == lost:
            raise mail.MailNotSent("No such mailbox.")
        real(**message)

    monkeypatch.setattr(mail, "send", fails)
    for _ in range(posting.ATTEMPTS_MAX + 1):
        letters.send_due()
        later(hours=9)
    assert any("could not be delivered" in one for one in breach_selectors.untold(told.case))
    (failed,) = letters.failed_of(Notice.objects.get())
    dpo = at_desk(make_member("dpo"))
    fields = {"what": "told", "letter": str(failed.id), "how": "by registered post"}
    assert dpo.post(f"/staff/incidents/breaches/{told.case_id}/send/", fields).status_code == 302
    assert not any("could not be delivered" in one for one in breach_selectors.untold(told.case))
    assert Act.LETTER_FAILED in acts()


def test_a_letter_that_comes_back_is_tried_again_or_told_otherwise(told, later) -> None:
    release(told, Addressee.PEOPLE)
    letters.queue_due()
    letters.send_due()
    first, second, _ = Letter.objects.order_by("subject")
    letters.record_bounce(letter_id=first.id, permanent=False)
    assert standing(told, Addressee.PEOPLE) is Standing.OPEN
    later(hours=1)
    assert letters.send_due() == 1
    assert standing(told, Addressee.PEOPLE) is Standing.DONE
    letters.record_bounce(letter_id=second.id, permanent=True)
    assert breach_selectors.undelivered(told) == 1
    letters.record_bounce(letter_id=uuid4(), permanent=True)


@pytest.mark.clause("8.3.b")
@pytest.mark.parametrize(("engine", "people"), [("sqlite", 3_000), ("postgresql", 600)])
def test_everybody_gets_one_letter_through_kill_minus_nine(engine, people, tmp_path, request) -> None:
    url = request.getfixturevalue("scratch_postgres").create("letters") if engine == "postgresql" else ""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADSHOTLY_")}
    environment = {
        **kept,
        "HEADSHOTLY_ENVIRONMENT": "test",
        "HEADSHOTLY_DATA": str(tmp_path / "data"),
        "HEADSHOTLY_MAIL": str(tmp_path / "mail"),
        **({"HEADSHOTLY_DATABASE_URL": url} if url else {}),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.incidents.letter_nursery", str(people), "4"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["kills while sending"] >= 3
    assert found["letters"] == people
    assert found["sent"] == people
    assert found["mails"] == people
    assert found["people with a mail"] == people
    assert found["told"] is True


def test_releasing_and_sending_on_the_page(told) -> None:
    dpo = at_desk(make_member("dpo"))
    where = f"/staff/incidents/breaches/{told.case_id}/"
    assert (
        dpo.post(f"{where}send/", {"what": "release", "addressee": "authority", "phase": "complete"}).status_code == 302
    )
    row = Notice.objects.get()
    page = dpo.get(where).content.decode()
    assert "released, not sent" in page
    assert dpo.get(f"/staff/incidents/notices/{row.id}/?language=pl").content.startswith(b"%PDF")
    paper = SimpleUploadedFile("upo.xml", b"<UPO/>", content_type="application/xml")
    sent = {"what": "sent", "notice": str(row.id), "how": "biznes.gov.pl", "receipt": "UPO-9", "confirmation": paper}
    assert dpo.post(f"{where}send/", sent).status_code == 302
    page = dpo.get(where).content.decode()
    assert "UPO-9" in page
    assert "confirmation sealed" in page
    assert Notice.objects.get().confirmation.media_type == "application/xml"
    assert dpo.post(f"{where}send/", {"what": "release", "addressee": "people", "phase": "complete"}).status_code == 302
    assert dpo.post(f"{where}send/", {"what": "release", "addressee": "nobody", "phase": "complete"}).status_code == 422
