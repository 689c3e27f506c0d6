"""The public list, its feed, and the register in the console and on the terminal."""

import pytest
from click.testing import CliRunner

from headshotly.access.models import Role
from headshotly.vendors import register, selectors
from headshotly.vendors.models import State, Vendor
from tests.access.conftest import at_desk, make_member
from tests.vendors.conftest import ENTRY, GOOD, ONE, OTHER

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.mark.clause("9.1.a")
def test_the_public_sees_who_gets_what_and_every_change(client, make_vendor):
    make_vendor(subprocessors=[{"name": "Helper GmbH", "country": "DE", "purpose": "Support"}])
    page = client.get("/vendors/", secure=True).content.decode()
    for words in ("Stripe Payments Europe", "order and payment references", "Helper GmbH (DE)", "was added"):
        assert words in page
    [found] = client.get("/vendors/vendors.json", secure=True).json()["vendors"]
    assert found["regions"] == ["IE"]
    feed = client.get("/vendors/changes.atom", secure=True)
    assert feed["Content-Type"].startswith("application/atom+xml")
    assert "was added" in feed.content.decode()


def test_an_empty_list_says_so(client):
    assert "Nobody." in client.get("/vendors/", secure=True).content.decode()


def _post(browser, page: str, **fields):
    return browser.post(f"/staff/rights/vendors/{page}/", fields, secure=True)


@pytest.fixture
def security(transactional_db):
    return at_desk(make_member(Role.SECURITY))


@pytest.fixture
def dpo(transactional_db):
    return at_desk(make_member(Role.DPO))


@pytest.mark.clause("9.1.a")
def test_two_members_bring_a_vendor_into_use(security, dpo):
    entry = {**ENTRY, "regions": "IE", "hosts": "api.stripe.com", "subprocessors": "Helper GmbH, DE, Support"}
    assert _post(security, "write", what="propose", **entry).status_code == 302
    assert _post(security, "write", what="assess", slug="stripe",
                 **{f"answer-{key}": value for key, value in GOOD.items()}).status_code == 302  # fmt: skip
    page = dpo.get("/staff/rights/vendors/", secure=True).content.decode()
    assert "waits for approval" in page
    [assessment] = selectors.waiting_assessments()
    [proposal] = selectors.proposed()
    assert _post(security, "decide", what="approve-assessment", id=assessment.id).status_code == 422
    assert _post(dpo, "decide", what="approve-assessment", id=assessment.id).status_code == 302
    assert _post(dpo, "decide", what="approve", id=proposal.id).status_code == 302
    paper = {"slug": "stripe", "kind": "agreement", "title": "DPA", "sha256": "a" * 64,
             "from_on": "2026-01-01", "until_on": "2099-01-01"}  # fmt: skip
    assert _post(security, "write", what="document", **paper).status_code == 302
    assert _post(security, "write", what="document", **{**paper, "kind": "soc-2"}).status_code == 302
    page = security.get("/staff/rights/vendors/", secure=True).content.decode()
    assert ">open</span>" in page
    assert _post(dpo, "decide", what="end", slug="stripe", because="").status_code == 422
    assert _post(dpo, "decide", what="end", slug="stripe", because="moved on").status_code == 302
    assert Vendor.objects.get().state == State.ENDED


@pytest.mark.clause("2.4.a")
@pytest.mark.parametrize("role", [Role.SUPPORT, Role.FINANCE, Role.DEVELOPER])
def test_others_see_nothing_of_it(role, transactional_db):
    assert at_desk(make_member(role)).get("/staff/rights/vendors/", secure=True).status_code in {403, 404}


def test_nonsense_is_refused_in_words(security, dpo):
    for browser, what, fields in (
        (security, "write", {"what": "juggle"}),
        (dpo, "decide", {"what": "approve"}),
        (dpo, "decide", {"what": "approve", "id": "x"}),
        (security, "write", {"what": "document", "slug": "stripe", "from_on": "soon"}),
    ):
        assert _post(browser, what, **fields).status_code in {404, 422}


@pytest.mark.clause("9.1.a")
def test_the_terminal_founds_a_register_with_two_handles(tmp_path, transactional_db):
    from headshotly.frontdoor.commands.vendors import vendors

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(vendors, words)
        assert done.exit_code == code, done.output + str(done.exception)
        return done.output

    run("propose", "aws", "--by", "founder-1")
    answers = tmp_path / "answers.toml"
    asked = run("questions")
    answers.write_text(asked.replace('= ""', '= "yes"'))
    run("assess", "aws", "--answers", str(answers), "--by", "founder-1")
    [assessment], [proposal] = selectors.waiting_assessments(), selectors.proposed()
    run("approve", str(assessment.id), "--by", "founder-1", code=1)
    run("approve", str(assessment.id), "--by", "founder-2")
    run("approve", str(proposal.id), "--by", "founder-2")
    paper = tmp_path / "dpa.pdf"
    paper.write_bytes(b"agreed")
    for kind in ("agreement", "soc-2"):
        run("document", "aws", "--kind", kind, "--file", str(paper), "--from", "2026-01-01", "--until", "2099-01-01",
            "--by", "founder-1")  # fmt: skip
    assert "OPEN" in run("list")
    # A task in the cloud has no files of ours.
    term = ("--from", "2026-01-01", "--until", "2099-01-01", "--by", "founder-1")
    assert "f" * 64 in run("document", "aws", "--kind", "iso-27001", "--sha256", "F" * 64, "--title", "ISO", *term)
    for wrong in ((), ("--sha256", "f" * 63), ("--sha256", "f" * 64, "--file", str(paper))):
        run("document", "aws", "--kind", "iso-27001", *wrong, *term, code=1)
    words = [word for question in GOOD for word in ("--answer", f"{question}=yes")]
    assert run("assess", "aws", *words, "--by", "founder-1").startswith("aws: 100 %")
    run("assess", "aws", "--by", "founder-1", code=1)
    run("propose", "nobody-we-know", "--by", "founder-1", code=1)
    run("propose", "aws", "--by", "Anna Nowak", code=1)
    run("end", "aws", "--because", "moved", "--by", "founder-1")
    assert "OPEN" not in run("list")


def test_every_known_entry_can_be_proposed(transactional_db):
    from headshotly.vendors.known import known

    for slug, fields in known().items():
        made = register.propose(actor=ONE, slug=slug, **fields)
        register.approve_assessment(actor=OTHER, assessment_id=register.assess(actor=ONE, slug=slug, answers=GOOD).id)
        assert register.approve(actor=OTHER, vendor_id=made.id).state == State.APPROVED
