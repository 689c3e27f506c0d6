"""Every button works, is journalled, and is undone as quickly."""

import hashlib
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from headshotly.access import grants, machines
from headshotly.access import services as access
from headshotly.access.errors import GrantRefused, PermissionMissing, TokenRefused
from headshotly.access.models import ApiToken
from headshotly.access.warrants import case_warrant, owner_warrant, service_warrant, staff_self_warrant
from headshotly.audit.acts import Act
from headshotly.incidents import cases, containment, evidence
from headshotly.incidents.containment import MEASURES
from headshotly.incidents.errors import EvidenceAltered, Incomplete, NotFound, NotNow
from headshotly.incidents.models import Containment, Evidence
from headshotly.vault import holds, wiring
from headshotly.vault import services as vault
from headshotly.vault.errors import KeyHeld, WarrantRefused
from headshotly.vendors import closures, mail
from headshotly.vendors.closures import VendorClosed
from tests.access.conftest import at_desk, make_member
from tests.accounts.conftest import EMAIL, PASSWORD, browser
from tests.incidents.casework import OFFICER, acts, taken

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("8.1.a-b")]
WHY = "Somebody else is in there."


@pytest.fixture
def case():
    return taken()


def stop(case, measure: str, target: object = "") -> Containment:
    return containment.contain(actor=OFFICER, number=case.number, measure_id=measure, target=str(target), because=WHY)


def undo(row: Containment) -> None:
    containment.release(actor=OFFICER, containment_id=row.id, because="It is over.")


def signed_in_browser():
    client = browser()
    assert client.post("/account/sign-in/", {"email": EMAIL, "password": PASSWORD}).status_code == 302
    return client


def opens_name(customer) -> str:
    from headshotly.accounts import selectors

    warrant = owner_warrant(customer_id=customer.id, session_key="session", purpose="view")
    return selectors.profile(customer, warrant=warrant).name


def test_a_customers_sessions(case, customer) -> None:
    client = signed_in_browser()
    assert client.get("/account/settings/").status_code == 200
    assert stop(case, "sessions", customer.id).result == "1 sessions ended"
    assert client.get("/account/settings/").status_code == 302
    signed_in_browser()
    assert containment.in_force() == []


def test_a_customers_account(case, customer) -> None:
    client = signed_in_browser()
    row = stop(case, "account", customer.id)
    assert client.get("/account/settings/").status_code == 302
    assert browser().post("/account/sign-in/", {"email": EMAIL, "password": PASSWORD}).status_code != 302
    with pytest.raises(NotNow, match="in force"):
        stop(case, "account", customer.id)
    undo(row)
    assert signed_in_browser().get("/account/settings/").status_code == 200
    assert {Act.ACCOUNT_SUSPENDED, Act.ACCOUNT_RESUMED, Act.CONTAINMENT_APPLIED, Act.CONTAINMENT_LIFTED} <= set(acts())


def test_a_customers_key(case, customer) -> None:
    row = stop(case, "customer-key", customer.id)
    with pytest.raises(KeyHeld):
        opens_name(customer)
    told = service_warrant(subject=customer.id, purpose="breach-notice")
    from headshotly.accounts import selectors

    assert selectors.profile_email(customer, warrant=told) == EMAIL, "they can still be written to"
    undo(row)
    assert opens_name(customer)
    written = acts()
    assert written.count(Act.WARRANT_REFUSED) == 1
    assert {Act.KEY_HELD, Act.KEY_RELEASED} <= set(written)


def test_all_keys_but_not_the_way_back(case, customer) -> None:
    officer = make_member("security-officer")
    kept = evidence.add(actor=OFFICER, number=case.number, title="A mail", data=b"raw")
    row = stop(case, "all-keys")
    assert holds.held() == [None]
    with pytest.raises(KeyHeld):
        opens_name(customer)
    own = staff_self_warrant(member_id=officer.id, role=officer.role)
    sealed = bytes(type(officer).objects.get(id=officer.id).totp_sealed)
    assert vault.open_field(subject=officer.id, field=access.TOTP_FIELD, sealed=sealed, warrant=own)
    warrant = case_warrant(member=officer, case_key=case.key, reference=case.reference)
    assert evidence.read(actor=OFFICER, number=case.number, evidence_id=kept.id, warrant=warrant)[1] == b"raw"
    undo(row)
    assert opens_name(customer)
    assert holds.held() == []


def test_a_member_of_staff(case, customer) -> None:
    member = make_member("support")
    desk = at_desk(member)
    assert stop(case, "staff-sessions", member.id).result == "1 sessions ended"
    assert desk.get("/staff/").status_code == 302
    desk = at_desk(member)
    row = stop(case, "staff", member.id)
    assert desk.get("/staff/").status_code == 302
    with pytest.raises(PermissionMissing):
        grants.use(member=member, grant_id=uuid4())
    undo(row)
    assert at_desk(member).get("/staff/").status_code == 200


def test_a_closed_account_is_not_opened_by_undoing() -> None:
    case, member = taken(), make_member("support")
    row = stop(case, "staff", member.id)
    access.close(actor=OFFICER, member=member)
    undo(row)
    assert at_desk(member).get("/staff/").status_code == 302


def test_a_grant(case, customer) -> None:
    member, decider = make_member("support"), make_member("dpo")
    fields = {"scope": "details", "subject": customer.id, "purpose": "support-request", "ticket": "SUP-1"}
    grant = grants.ask(member=member, minutes=60, **fields)
    grants.approve(decider=decider, grant_id=grant.id)
    assert grants.use(member=member, grant_id=grant.id)
    row = stop(case, "grant", grant.id)
    with pytest.raises(GrantRefused, match="suspended"):
        grants.use(member=member, grant_id=grant.id)
    undo(row)
    assert grants.use(member=member, grant_id=grant.id)
    assert stop(case, "grant-end", grant.id).undone_at is not None
    with pytest.raises(GrantRefused, match="ended"):
        grants.use(member=member, grant_id=grant.id)
    with pytest.raises(NotFound):
        stop(case, "grant", grant.id)


def test_a_program(case) -> None:
    maker = make_member("operations")
    account = machines.create(member=maker, name="robot")
    token = machines.issue(member=maker, account_id=account.id, rights=["self.read"], days=1)

    def works() -> bool:
        try:
            return machines.account_of(f"Bearer {token}", right="self.read").name == "robot"
        except TokenRefused:
            return False

    row = stop(case, "machine", account.id)
    assert not works()
    undo(row)
    assert works()
    stop(case, "token", bytes(ApiToken.objects.get().token_sha256).hex())
    assert not works()
    for target in ("zz", "ab", "ab" * 32):
        with pytest.raises((Incomplete, NotFound)):
            stop(case, "token", target)


def test_a_vendor(case) -> None:
    row = stop(case, "vendor", "Mail")
    assert closures.closed() == ["mail"]
    with pytest.raises(VendorClosed):
        mail.send(to=EMAIL, subject="x", text="x", about=None)
    undo(row)
    mail.send(to=EMAIL, subject="x", text="x", about=None)
    with pytest.raises(closures.VendorUnknown):
        stop(case, "vendor", "not a name!")


def test_the_whole_service(case, customer) -> None:
    client = signed_in_browser()
    row = stop(case, "read-only")
    assert client.get("/account/settings/").status_code == 200
    refused = client.post("/account/settings/", {"name": "New"}, HTTP_ACCEPT="application/json")
    assert (refused.status_code, refused.json()["code"]) == (503, "service.read_only")
    assert refused["Retry-After"]
    assert browser().post("/account/sign-up/", {}).status_code == 503
    assert signed_in_browser().get("/account/settings/").status_code == 200, "who wants to look can sign in"
    desk = at_desk(make_member("security-officer"))
    answer = desk.post(f"/staff/incidents/containment/{row.id}/undo/", {"because": "It is over."})
    assert answer.status_code == 302
    assert not containment.read_only()
    assert client.post("/account/settings/", {"name": "New"}).status_code != 503


def test_while_the_service_is_read_only_work_waits_and_watching_goes_on(case, person, good_photos, monkeypatch) -> None:
    from headshotly.frontdoor import roster
    from headshotly.frontdoor.worker import LeasedWorker
    from headshotly.studio import services as studio
    from headshotly.studio.models import Shoot, ShootState

    received = studio.receive_photo(actor=person.actor, subject=person.id, data=good_photos[0].read_bytes())
    shoot = studio.start_shoot(
        actor=person.actor, subject=person.id, photo_ids=[received.photo.id], style_ids=["studio-grey"]
    )
    row = stop(case, "read-only")
    LeasedWorker(batch=True).run()
    assert Shoot.objects.get(id=shoot.id).state == ShootState.QUEUED
    done = roster.run_due(slow=False)
    assert "incidents.call" in done
    assert not [name for name in done if name.startswith(("rights.", "vault."))]
    undo(row)
    assert [name for name in roster.run_due() if name.startswith("rights.")]


@pytest.mark.parametrize(
    ("measure", "target", "error"),
    [
        ("nothing", "", NotFound),
        ("account", "", Incomplete),
        ("account", "no id", Incomplete),
        ("account", str(UUID(int=1)), NotFound),
        ("machine", str(UUID(int=2)), NotFound),
    ],
)
def test_what_is_not_there_is_not_stopped(case, measure, target, error) -> None:
    with pytest.raises(error):
        stop(case, measure, target)
    assert not Containment.objects.exists()
    with pytest.raises(NotFound):
        containment.release(actor=OFFICER, containment_id=uuid4(), because="It is over.")


def test_every_measure_says_what_it_does() -> None:
    for measure in MEASURES.values():
        assert measure.label
        assert measure.effect.endswith(".")


def test_what_fails_half_way_leaves_nothing(case, customer, monkeypatch) -> None:
    from headshotly.incidents import timeline

    def fails(**_named):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(timeline, "write", fails)
    with pytest.raises(RuntimeError):
        stop(case, "account", customer.id)
    customer.refresh_from_db()
    assert customer.is_active
    assert not Containment.objects.exists()


def test_the_buttons_on_the_page(case, customer) -> None:
    desk = at_desk(make_member("security-officer"))
    where = f"/staff/incidents/cases/{case.number}/"
    fields = {"measure": "account", "target-account": str(customer.id), "because": WHY}
    assert desk.post(f"{where}contain/", fields).status_code == 302
    page = desk.get(where).content.decode()
    assert "in force" in page
    assert str(customer.id) in page
    assert page.count("It cannot be undone") == sum(one.undo is None for one in MEASURES.values())
    row = Containment.objects.get()
    assert desk.post(f"/staff/incidents/containment/{row.id}/undo/", {"because": "It is over."}).status_code == 302
    assert ">undone " in desk.get(where).content.decode()
    assert at_desk(make_member("dpo")).post(f"{where}contain/", fields).status_code == 403


# --- evidence --------------------------------------------------------------------------------------------------------


def test_evidence_is_sealed_hashed_and_compared(case) -> None:
    officer, data = make_member("security-officer"), b"From: intruder\r\n\r\nHello \x00"
    row = evidence.add(actor=OFFICER, number=case.number, title="The mail", data=data, media_type="message/rfc822")
    assert row.sha256 == hashlib.sha256(data).hexdigest()
    stored = b"".join(path.read_bytes() for path in wiring.object_store()._folder.rglob("*") if path.is_file())
    assert b"intruder" not in stored
    warrant = case_warrant(member=officer, case_key=case.key, reference=case.reference)
    assert evidence.read(actor=OFFICER, number=case.number, evidence_id=row.id, warrant=warrant)[1] == data
    Evidence.objects.filter(id=row.id).update(sha256="0" * 64)
    with pytest.raises(EvidenceAltered):
        evidence.read(actor=OFFICER, number=case.number, evidence_id=row.id, warrant=warrant)
    vault.destroy(actor=OFFICER, object_id=row.object_id)
    with pytest.raises(EvidenceAltered):
        evidence.read(actor=OFFICER, number=case.number, evidence_id=row.id, warrant=warrant)
    assert {Act.EVIDENCE_ADDED, Act.EVIDENCE_READ} <= set(acts())


def test_evidence_of_one_case_does_not_open_under_anothers_warrant(case) -> None:
    officer, other = make_member("security-officer"), taken()
    row = evidence.add(actor=OFFICER, number=case.number, title="The mail", data=b"x")
    warrant = case_warrant(member=officer, case_key=other.key, reference=other.reference)
    with pytest.raises(WarrantRefused):
        evidence.read(actor=OFFICER, number=case.number, evidence_id=row.id, warrant=warrant)
    with pytest.raises(NotFound):
        evidence.read(actor=OFFICER, number=other.number, evidence_id=row.id, warrant=warrant)


def test_evidence_needs_something_and_an_open_case(case, settings) -> None:
    for title, data in (("", b"x"), ("Empty", b""), ("ada@example.org", b"x")):
        with pytest.raises(Incomplete):
            evidence.add(actor=OFFICER, number=case.number, title=title, data=data)
    with pytest.raises(NotFound):
        evidence.add_alerts(actor=OFFICER, number=case.number)
    from headshotly.incidents.phases import Outcome

    cases.dismiss(actor=OFFICER, number=case.number, outcome=Outcome.FALSE_ALARM, because="It was us testing things.")
    with pytest.raises(NotNow):
        evidence.add(actor=OFFICER, number=case.number, title="Late", data=b"x")


def test_evidence_on_the_page(case, customer) -> None:
    desk = at_desk(make_member("security-officer"))
    where = f"/staff/incidents/cases/{case.number}/evidence/"
    file = SimpleUploadedFile("mail.eml", b"raw mail", content_type="message/rfc822")
    assert desk.post(where, {"what": "file", "title": "The mail", "file": file}).status_code == 302
    assert desk.post(where, {"what": "journal", "subject": str(customer.id)}).status_code == 302
    first, second = Evidence.objects.order_by("added_at")
    answer = desk.post(f"{where}{first.id}/")
    assert answer.content == b"raw mail"
    assert answer["Content-Type"] == "application/octet-stream"
    assert "attachment" in answer["Content-Disposition"]
    assert b"verifier_key" in desk.post(f"{where}{second.id}/").content
    assert desk.post(where, {"what": "file"}).status_code == 422
    assert browser().post(where, {"what": "file", "file": SimpleUploadedFile("x", b"x")}).status_code == 403
