"""*Your programs* and the page about the API, as people use them."""

import re

import pytest

from headshotly.access.bearers import SCOPES
from headshotly.access.errors import ScopeMissing
from headshotly.access.warrants import TOKEN_PURPOSES, token_warrant
from headshotly.audit.acts import Act
from headshotly.integrations import delivering, tokens, webhooks
from headshotly.integrations.errors import TokenNotMade
from headshotly.integrations.models import AccessToken, WebhookDelivery, WebhookEndpoint
from headshotly.rights import retention
from tests.accounts.conftest import browser, mail_text, mails
from tests.conftest import PASSWORD
from tests.integrations.conftest import Program, keep_photo, program_of
from tests.integrations.test_endpoints import acts

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
HOME = "/account/programs/"
NEW = {"name": "nightly upload", "scopes": ["photos.read", "photos.write"], "days": "30"}


@pytest.fixture
def client(person):
    found = browser()
    assert found.post("/account/sign-in/", {"email": person.email, "password": PASSWORD}).status_code == 302
    return found


def shown_once(page) -> str:
    return re.search(r'<code class="once" id="once">(.*?)</code>', page.content.decode())[1]


@pytest.mark.clause("2.4.a")
def test_a_token_is_made_shown_once_used_and_revoked(client, person) -> None:
    made = client.post(f"{HOME}tokens/new/", NEW)
    token = shown_once(made)
    assert tokens.looks_genuine(token)
    assert "no-store" in made["Cache-Control"]
    page = client.get(HOME).content.decode()
    assert "nightly upload" in page
    assert "never used" in page
    assert token not in page
    assert token[-4:] in page
    assert "access token was made" in mail_text(mails()[-1])
    program = Program(token)
    assert program.get("photos").status_code == 200
    assert program.get("jobs").status_code == 403
    assert "last used" in client.get(HOME).content.decode()
    assert client.post(f"{HOME}tokens/{AccessToken.objects.get().id}/revoke/").url == HOME
    assert program.get("photos").status_code == 401
    assert "nightly" not in client.get(HOME).content.decode()
    found = acts()
    for act in (Act.ACCESS_TOKEN_ISSUED, Act.ACCESS_TOKEN_FIRST_USED, Act.ACCESS_TOKEN_REVOKED):
        assert found.count(act) == 1, act


@pytest.mark.clause("10.2")
@pytest.mark.parametrize("address", ["tokens/new/", "webhooks/new/"])
def test_letting_a_program_in_asks_again_who_it_is(client, later, address) -> None:
    assert client.get(HOME + address).status_code == 200
    later(minutes=11)
    for answer in (client.get(HOME + address), client.post(HOME + address, NEW)):
        assert answer.url.startswith("/account/prove/")
    assert AccessToken.objects.count() == WebhookEndpoint.objects.count() == 0
    asked = client.get(HOME + address).url
    assert client.post(asked, {"password": PASSWORD, "next": HOME + address}).url == HOME + address
    assert client.get(HOME + address).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"days": "0"},
        {"days": "366"},
        {"days": "x"},
    ],
)
def test_a_token_that_cannot_be_is_refused_in_plain_words(client, change) -> None:
    answer = client.post(f"{HOME}tokens/new/", {**NEW, **change})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert AccessToken.objects.count() == 0


def test_there_are_not_more_than_twenty_and_old_ones_go(person, later) -> None:
    for _ in range(tokens.TOKENS_MAX):
        program_of(person)
    with pytest.raises(TokenNotMade, match="the most"):
        program_of(person)
    later(days=31 + 91)
    assert retention.sweep()["access-tokens"] == tokens.TOKENS_MAX
    assert AccessToken.objects.count() == 0


def test_somebody_elses_token_and_endpoint_are_not_there(client, make_person) -> None:
    eve = make_person("eve@example.org")
    program_of(eve)
    theirs = webhooks.register(actor=eve.actor, subject=eve.id, url="https://x.example/", events=["job.done"]).endpoint
    sent = webhooks.test(subject=eve.id, endpoint_id=theirs.id)
    for method, address in (
        ("POST", f"tokens/{AccessToken.objects.get().id}/revoke/"), ("GET", f"webhooks/{theirs.id}/"),
        ("POST", f"webhooks/{theirs.id}/remove/"), ("POST", f"webhooks/{theirs.id}/test/"),
        ("POST", f"deliveries/{sent.id}/again/"),
    ):  # fmt: skip
        assert client.generic(method, HOME + address).status_code == 404, address
    assert tokens.living(eve.id)
    assert WebhookDelivery.objects.count() == 1


def test_an_endpoint_is_registered_tried_out_and_removed(client, person) -> None:
    refused = client.post(f"{HOME}webhooks/new/", {"url": "https://10.0.0.1/", "events": ["job.done"]})
    assert refused.status_code == 422
    assert "host" in refused.content.decode()
    made = client.post(f"{HOME}webhooks/new/", {"url": "https://hooks.example.org/a", "events": ["job.done"]})
    assert shown_once(made).startswith("whsec_")
    endpoint = WebhookEndpoint.objects.get()
    log = f"{HOME}webhooks/{endpoint.id}/"
    assert "Nothing was sent" in client.get(log).content.decode()
    assert client.post(f"{log}test/").url == log
    assert "Waits" in client.get(log).content.decode()
    delivering.send_due()
    assert "Arrived" in client.get(log).content.decode()
    assert client.post(f"{HOME}deliveries/{WebhookDelivery.objects.get().id}/again/").url == log
    assert delivering.send_due() == 1
    assert client.post(f"{log}remove/").url == HOME
    assert "hooks.example.org" not in client.get(HOME).content.decode()


def test_the_page_about_the_api_names_every_operation_and_loads_nothing_foreign() -> None:
    from headshotly.frontdoor.api import document, pages

    page = browser().get("/api/").content.decode()
    for (_, path), scope in document.scopes_of_operations().items():
        assert f"<code>{path}</code>" in page
        assert scope in page
    for codes, _, _ in pages.PROBLEMS:
        for code in codes.split():
            assert f'id="{code}"' in page
    assert re.findall(r'(?:src|href)="https?://', page) == []


@pytest.mark.clause("5.1.a", "2.4.a")
def test_a_token_opens_what_its_scopes_name_and_nothing_else(person, make_person) -> None:
    from headshotly.vault import services as vault
    from headshotly.vault.errors import ForeignObject

    photo = keep_photo(person)
    for scope in SCOPES:
        bearer = tokens.recognise(program_of(person, scope).token)
        for purpose, allowing in TOKEN_PURPOSES.items():
            if scope in allowing:
                assert token_warrant(bearer=bearer, purpose=purpose).subject == person.id
            else:
                with pytest.raises(ScopeMissing):
                    token_warrant(bearer=bearer, purpose=purpose)
        with pytest.raises(KeyError):
            token_warrant(bearer=bearer, purpose="generate")
        AccessToken.objects.all().delete()
    stranger = tokens.recognise(program_of(make_person("eve@example.org")).token)
    with pytest.raises(ForeignObject):
        vault.open(object_id=photo.object_id, warrant=token_warrant(bearer=stranger, purpose="view-by-program"))


@pytest.mark.clause("8.1.a-b")
def test_in_an_incident_a_customers_tokens_are_revoked_at_once(person) -> None:
    from headshotly.incidents.containment import measure_of

    program = program_of(person)
    measure = measure_of("customer-tokens")
    assert measure.do(person.actor, str(person.id), "leaked") == "1 tokens revoked"
    assert program.get("account").status_code == 401
