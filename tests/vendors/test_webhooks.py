"""Messages to a chat or pager: one suite for the folder and for HTTPS."""

import uuid

import pytest

from headshotly.policy import configuration
from headshotly.vendors import closures, https, webhooks
from tests.vendors.conftest import ONE

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
URL, ONCE = "https://hooks.slack.com/services/secret", uuid.UUID(int=3)


@pytest.fixture
def outside(settings):
    from dataclasses import replace

    here = configuration.current()
    settings.HEADSHOTLY = replace(here, options={**here.options, "webhooks.outside": "yes"})


@pytest.fixture
def answers(monkeypatch):
    """What the other side says; a number is its status, an error is what happened instead."""
    asked = []

    def play(answer):
        def request(method, url, **named):
            asked.append((method, url, named))
            if isinstance(answer, Exception):
                raise answer
            return https.Answer(answer, b"ok")

        monkeypatch.setattr(https, "request", request)
        return asked

    return play


def test_a_local_installation_writes_a_file_and_speaks_to_nobody(tmp_path):
    webhooks.post(URL, {"text": "Case 7"}, once=ONCE)
    [found] = (configuration.current().mail_folder / "webhooks").glob("*.json")
    text = found.read_text()
    assert "Case 7" in text
    assert "secret" not in text, "the path of a webhook is a secret"


@pytest.mark.usefixtures("outside")
def test_outside_it_goes_by_https_with_its_id(answers):
    asked = answers(204)
    webhooks.post(URL, {"text": "Case 7"}, once=ONCE)
    [(method, url, named)] = asked
    assert (method, url) == ("POST", URL)
    assert named["headers"]["Idempotency-Key"] == str(ONCE)
    assert b"Case 7" in named["body"]


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("answer", [500, 302, 404, https.NoAnswer("gone")])
def test_what_was_not_taken_is_said_to_be_so(answers, answer):
    answers(answer)
    with pytest.raises(webhooks.NotPosted):
        webhooks.post(URL, {}, once=ONCE)


@pytest.mark.clause("8.1.a-b")
@pytest.mark.parametrize("where", ["folder", "https"])
def test_a_closed_door_lets_nothing_out(where, request, make_vendor):
    if where == "https":
        request.getfixturevalue("outside")
        make_vendor(slug="slack", hosts=["hooks.slack.com"], categories=[], tier="ordinary")
    closures.close(actor=ONE, vendor="hooks.slack.com", because="an incident")
    with pytest.raises(closures.VendorClosed):
        webhooks.post(URL, {}, once=ONCE)


@pytest.mark.parametrize("url", ["http://hooks.slack.com/", "https://10.0.0.1/", "hooks.slack.com"])
def test_what_is_no_address_is_refused_before_anything_is_written(url):
    with pytest.raises(https.AddressRefused):
        webhooks.post(url, {}, once=ONCE)
