"""The pages of rights as their visitors use them: customers, strangers, the DPO; and the signal of a browser."""

import json
import re
from urllib.parse import quote

import pytest

from headshotly.access.models import Role
from headshotly.accounts.models import Customer
from headshotly.audit import selectors as journal
from headshotly.audit.acts import Act
from headshotly.audit.sequencing import sequence_once
from headshotly.purposes import restrictions
from headshotly.purposes.models import Assessment, Risk
from headshotly.purposes.texts import HEADSHOT_GENERATION
from headshotly.rights import choices, erasure, legal_texts, tasks
from headshotly.rights.models import Export, PrivacyChoice, Publication, RightsRequest
from headshotly.rights.states import Kind, State
from tests.access.conftest import at_desk, make_member
from tests.accounts.conftest import EMAIL, NAME, PASSWORD, browser, mail_text, mails

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("1.2.c")]
HOME = "/your-data/"


def page(client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, (address, answer.status_code, answer.get("Location"))
    return answer.content.decode()


def post(client, address: str, status: int = 302, **fields):
    answer = client.post(address, fields)
    assert answer.status_code == status, (address, answer.status_code, answer.content[:300])
    return answer


@pytest.fixture
def client():
    return browser()


def test_everything_is_one_click_away(signed_in, customer) -> None:
    text = page(signed_in, HOME)
    for address in ("everything/", "copies/", "delete/", "processing/", "choices/", "keep/", "requests/"):
        assert f"/your-data/{address}" in text, address
    held = page(signed_in, "/your-data/everything/")
    assert EMAIL in held
    assert NAME in held
    answer = post(signed_in, "/your-data/everything.pdf", 200)
    assert answer.content.startswith(b"%PDF-")
    assert "no-store" in answer["Cache-Control"]


def test_sensitive_pages_ask_again_who_it_is(signed_in, customer, monkeypatch) -> None:
    from headshotly.accounts import proving

    monkeypatch.setattr(proving, "proved", lambda _request: False)
    for address in ("/your-data/everything/", "/your-data/delete/"):
        answer = signed_in.get(address)
        assert answer.url == f"/account/prove/?next={quote(address, safe='')}", address
    for address in (
        "/your-data/copies/",
        "/your-data/everything.pdf",
        "/your-data/processing/",
        "/your-data/requests/",
    ):
        assert post(signed_in, address).url.startswith("/account/prove/")
    assert not RightsRequest.objects.exists()


def test_a_copy_is_asked_for_packed_and_fetched(signed_in, customer) -> None:
    post(signed_in, "/your-data/copies/")
    export = Export.objects.get()
    assert json.loads(page(signed_in, f"/your-data/copies/{export.id}/progress/"))["open"]
    page(signed_in, f"/your-data/copies/{export.id}/my-data.zip", 409)
    tasks.build_export.call(str(export.id))
    answer = signed_in.get(f"/your-data/copies/{export.id}/my-data.zip")
    body = b"".join(answer.streaming_content)
    assert int(answer["Content-Length"]) == len(body)
    assert body[:2] == b"PK"
    assert "Download" in page(signed_in, HOME)
    page(browser(), f"/your-data/copies/{export.id}/my-data.zip", 302)


def test_a_processing_is_stopped_and_let_go_on(signed_in, customer) -> None:
    post(signed_in, "/your-data/processing/", activity=HEADSHOT_GENERATION, what="restrict")
    assert len(restrictions.in_force(customer.id)) == 1
    assert "stands still" in page(signed_in, HOME)
    post(signed_in, "/your-data/processing/", activity=HEADSHOT_GENERATION, what="resume")
    assert restrictions.in_force(customer.id) == []
    for activity, what in (("account", "restrict"), (HEADSHOT_GENERATION, "explode"), ("", "")):
        post(signed_in, "/your-data/processing/", 422, activity=activity, what=what)


def test_an_objection_to_a_legitimate_interest_waits_for_the_dpo_and_stands_still(signed_in, customer) -> None:
    post(signed_in, "/your-data/processing/", activity="sign-in-protection", what="object", why="I do not like it.")
    assert RightsRequest.objects.get().state == State.OPEN
    assert len(restrictions.in_force(customer.id)) == 1


def test_times_are_chosen(signed_in, customer) -> None:
    post(signed_in, "/your-data/keep/", limit="photos", days="7")
    post(signed_in, "/your-data/keep/", limit="headshots", days="always")
    post(signed_in, "/your-data/keep/", 422, limit="photos", days="8")
    post(signed_in, "/your-data/keep/", 422, limit="photos", days="-7")
    assert re.search(r'value="7" selected', page(signed_in, HOME))


def test_a_request_in_words_is_confirmed_followed_taken_back_and_appealed(signed_in, customer) -> None:
    post(signed_in, "/your-data/requests/", 422, kind="correct", text="  ")
    post(signed_in, "/your-data/requests/", 422, kind="photo", text="x")
    post(signed_in, "/your-data/requests/", kind="correct", text="My name has two <b>n</b>.", regime="gdpr")
    request = RightsRequest.objects.get()
    assert request.reference in mail_text(mails()[-1])
    text = page(signed_in, f"/your-data/requests/{request.id}/")
    assert "two &lt;b&gt;n&lt;/b&gt;" in text
    post(signed_in, f"/your-data/requests/{request.id}/appeal/", 409, text="Why?")
    post(signed_in, f"/your-data/requests/{request.id}/withdraw/")
    request.refresh_from_db()
    assert request.state == State.WITHDRAWN
    page(signed_in, "/your-data/requests/00000000-0000-0000-0000-000000000007/", 404)


def test_everything_is_deleted_only_when_one_is_sure(signed_in, customer) -> None:
    post(signed_in, "/your-data/delete/", 422, what="everything")
    assert Customer.objects.filter(id=customer.id).exists()
    post(signed_in, "/your-data/delete/", what="later", days="7")
    assert erasure.planned(customer.id) is not None
    assert "Keep everything after all" in page(signed_in, HOME)
    post(signed_in, "/your-data/delete/cancel/")
    answer = post(signed_in, "/your-data/delete/", what="everything", sure="yes")
    assert "/studio/receipts/" in answer.url
    assert not Customer.objects.filter(id=customer.id).exists()
    assert "deleted" in page(browser(), answer.url)


# ── Global Privacy Control ───────────────────────────────────────────────────


@pytest.mark.clause("1.2.d")
def test_the_signal_counts_on_the_first_request_and_is_shown(customer) -> None:
    visitor = browser(HTTP_SEC_GPC="1")
    assert "Opt-Out Request Honored" in page(visitor, "/")
    plain = browser()
    plain.cookies = visitor.cookies
    assert "Opt-Out Request Honored" in page(plain, "/"), "the browser is remembered"
    assert "Opt-Out Request Honored" not in page(browser(), "/")


@pytest.mark.clause("1.2.d")
def test_the_signal_is_bound_to_the_profile_by_the_very_request_that_signs_in(customer) -> None:
    signalling = browser(HTTP_SEC_GPC="1")
    post(signalling, "/account/sign-in/", email=EMAIL, password=PASSWORD)
    assert choices.has_opted_out(customer.id)
    assert PrivacyChoice.objects.get().opted_out_by == "signal"
    assert RightsRequest.objects.get(kind=Kind.OPT_OUT).state == State.ANSWERED
    page(signalling, HOME)
    assert RightsRequest.objects.count() == 1, "once is enough"
    elsewhere = browser()
    post(elsewhere, "/account/sign-in/", email=EMAIL, password=PASSWORD)
    assert "Opt-Out Request Honored" in page(elsewhere, "/"), "another browser, the same profile"


@pytest.mark.clause("1.2.d")
@pytest.mark.parametrize("value", ["0", "", "true", "11"])
def test_anything_else_is_no_signal(customer, value) -> None:
    assert "Opt-Out Request Honored" not in page(browser(HTTP_SEC_GPC=value), "/")


@pytest.mark.clause("1.2.d")
def test_choices_can_be_made_by_hand_with_and_without_an_account(signed_in, customer) -> None:
    visitor = browser()
    post(visitor, "/privacy/choices/opt-out/")
    assert "Opted out" in page(visitor, "/privacy/choices/")
    post(signed_in, "/your-data/choices/", kind="opt-out")
    post(signed_in, "/your-data/choices/", kind="limit")
    post(signed_in, "/your-data/choices/", 422, kind="delete")
    mine = choices.of(customer.id)
    assert mine.opted_out_at
    assert mine.limited_at
    assert json.loads(page(browser(), "/.well-known/gpc.json"))["gpc"] is True


# ── people without an account ────────────────────────────────────────────────

FORM = {"kind": "delete", "text": "Delete me.", "name": "Jan Nowak", "email": "jan@example.org"}


def test_a_stranger_asks_confirms_and_follows(db_all) -> None:
    visitor = browser()
    page(visitor, "/privacy/ask/?kind=photo")
    answer = post(visitor, "/privacy/ask/", 200, **FORM)
    request = RightsRequest.objects.get()
    assert request.reference in answer.content.decode()
    link = re.search(r"https://\S+?(/privacy/requests/\S+)", mail_text(mails()[-1]))[1]
    assert "Yes, both are mine" in page(browser(), link)
    request.refresh_from_db()
    assert request.verified_how == "", "opening the link alone confirms nothing; scanners do that"
    post(browser(), link)
    request.refresh_from_db()
    assert request.verified_how
    assert "Yes, both are mine" not in page(browser(), link)


@pytest.mark.parametrize(
    "change", [{"kind": "appeal"}, {"kind": ""}, {"email": "x"}, {"text": ""}, {"agent": "Helpful Ltd"}]
)
def test_a_form_with_gaps_comes_back_with_what_was_typed(db_all, change) -> None:
    answer = post(browser(), "/privacy/ask/", 422, **(FORM | change))
    assert "Jan Nowak" in answer.content.decode()
    assert not RightsRequest.objects.exists()


def test_a_flood_from_one_client_is_stopped(db_all) -> None:
    visitor = browser()
    statuses = [visitor.post("/privacy/ask/", FORM).status_code for _ in range(12)]
    assert statuses[:10] == [200] * 10
    assert set(statuses[10:]) == {429}


# ── the DPO ──────────────────────────────────────────────────────────────────


@pytest.fixture
def desk(db_all):
    return at_desk(make_member(Role.DPO))


def asked(signed_in, **fields) -> RightsRequest:
    post(signed_in, "/your-data/requests/", **({"kind": "correct", "text": "My secret is Kanarkowska."} | fields))
    return RightsRequest.objects.latest("received_at")


@pytest.mark.clause("1.1.c")
@pytest.mark.clause("5.1.a")
def test_the_dpo_sees_clocks_and_opens_words_under_the_request(signed_in, customer, desk) -> None:
    request = asked(signed_in)
    assert request.reference in page(desk, "/staff/rights/")
    one = f"/staff/rights/requests/{request.id}/"
    assert "Kanarkowska" not in page(desk, one)
    assert "Kanarkowska" in post(desk, f"{one}words/", 200).content.decode()
    sequence_once()
    acts = [(entry.leaf.act, entry.leaf.actor.kind) for entry in journal.entries_of_subject(customer.id)]
    assert (Act.REQUEST_READ, "staff") in acts
    assert (Act.FIELD_OPENED, "staff") in acts
    assert request.reference in page(signed_in, "/opened/"), "the customer sees it"


@pytest.mark.clause("5.1.a")
def test_a_dpo_with_a_gap_in_the_people_checks_opens_nothing(signed_in, customer) -> None:
    request = asked(signed_in)
    unfit = at_desk(make_member(Role.DPO, fit=False))
    post(unfit, f"/staff/rights/requests/{request.id}/words/", 403)


@pytest.mark.parametrize("role", [Role.SECURITY, Role.AUDITOR])
def test_others_see_the_clocks_and_no_button(signed_in, customer, role) -> None:
    request = asked(signed_in)
    other = at_desk(make_member(role))
    assert "Send the answer" not in page(other, f"/staff/rights/requests/{request.id}/")
    post(other, f"/staff/rights/requests/{request.id}/words/", 403)
    post(other, f"/staff/rights/requests/{request.id}/step/", 403, what="answer", reply="x")


def test_every_step_of_the_desk(signed_in, customer, desk) -> None:
    extended, refused = asked(signed_in), asked(signed_in)
    step = "/staff/rights/requests/{}/step/".format
    post(desk, step(extended.id), what="extend", reply="It takes time to compare so many photos.")
    post(desk, step(extended.id), what="answer", reply="Corrected.")
    post(desk, step(refused.id), 422, what="refuse", ground="accurate", reply="")
    post(desk, step(refused.id), 422, what="dance")
    post(desk, step(refused.id), what="refuse", ground="accurate", reply="We compared.")
    assert "cppa.ca.gov" in mail_text(mails()[-1])
    shown = page(signed_in, f"/your-data/requests/{refused.id}/")
    assert "We compared." in shown
    assert "Appeal" in shown
    post(signed_in, f"/your-data/requests/{refused.id}/appeal/", text="I disagree.")
    appeal = RightsRequest.objects.get(kind=Kind.APPEAL)
    post(desk, step(appeal.id), 409, what="answer", reply="No.")


def test_a_strangers_proof_is_recorded_at_the_desk(desk) -> None:
    post(browser(), "/privacy/ask/", 200, **FORM)
    request = RightsRequest.objects.get()
    link = re.search(r"https://\S+?(/privacy/requests/\S+)", mail_text(mails()[-1]))[1]
    post(browser(), link)
    step = f"/staff/rights/requests/{request.id}/step/"
    post(desk, step, 422, what="verify", facts="3")
    post(desk, step, what="verify", facts="3", declaration="yes")
    post(desk, step, what="answer", reply="There was nothing.")
    assert "There was nothing." in page(browser(), link)


@pytest.mark.clause("1.1.a")
@pytest.mark.parametrize(("form", "start"), [("", "<!doctype"), ("csv", "activity,"), ("json", "{")])
def test_the_record_of_processing_is_given_in_three_forms(desk, form, start) -> None:
    answer = desk.get("/staff/rights/record/", {"form": form})
    assert answer.content.decode().lower().startswith(start)
    assert "Making headshots" in answer.content.decode()


@pytest.mark.clause("1.1.b")
def test_an_assessment_goes_its_way_on_the_pages(desk) -> None:
    author = at_desk(make_member(Role.SECURITY))
    words = dict.fromkeys(
        ("description", "necessity", "risks", "measures"), "There is a lot to say about this part of it."
    )
    write = "/staff/rights/assessments/write/"
    post(author, write, 409, activity=HEADSHOT_GENERATION, description="short")
    post(author, write, activity=HEADSHOT_GENERATION, **words)
    made = Assessment.objects.get()
    decide = f"/staff/rights/assessments/{made.id}/decide/"
    post(author, decide, 403, what="approve", review_on="2027-06-01")
    post(desk, decide, what="advise", advice="Fine.")
    post(desk, decide, 422, what="approve", review_on="soon")
    post(desk, decide, what="approve", review_on="2027-06-01")
    assert "approved, review 2027-06-01" in page(author, "/staff/rights/assessments/")


@pytest.mark.clause("1.1.e")
def test_risks_on_the_page(desk) -> None:
    author, write = at_desk(make_member(Role.SECURITY)), "/staff/rights/risks/write/"
    fields = {
        "what": "record", "title": "A lost laptop", "threat": "Photos are read.", "clauses": "3.2.a, 5.3.a",
        "likelihood": "4", "impact": "5", "residual_likelihood": "3", "residual_impact": "5", "review_on": "2027-06-01",
    }  # fmt: skip
    post(author, write, 422, **(fields | {"clauses": "99"}))
    post(author, write, **fields)
    risk = Risk.objects.get()
    assert "not accepted" in page(desk, "/staff/rights/risks/")
    post(author, write, 422, what="accept", risk=str(risk.id), because="Me.")
    post(desk, write, what="accept", risk=str(risk.id), because="Disks are encrypted.")
    post(desk, write, what="close", risk=str(risk.id))
    assert "closed" in page(desk, "/staff/rights/risks/")


@pytest.mark.clause("11.a-c")
def test_a_document_is_published_on_the_page(desk) -> None:
    page(desk, "/staff/rights/documents/")
    fields = {"document": legal_texts.POLICY, "effective_on": "2027-01-01", "summary": "Everything is written down."}
    post(desk, "/staff/rights/documents/publish/", 409, **(fields | {"summary": "x"}))
    post(desk, "/staff/rights/documents/publish/", **fields)
    assert Publication.objects.get().version == "2027-01-01"
    post(at_desk(make_member(Role.SECURITY)), "/staff/rights/documents/publish/", 403, **fields)
