"""Behind a load balancer: whose address and scheme are believed, and that nobody else's are."""

from dataclasses import replace

import pytest
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from headshotly.accounts import patience
from headshotly.frontdoor import certificate, proxies, server
from headshotly.incidents import blocks, pseudonyms
from headshotly.policy.refusal import Refusal

OURS = proxies.networks("10.20.0.0/24, 10.20.1.0/24,fd00:20::/64")
BALANCER, CLIENT, EVE = "10.20.0.7", "198.51.100.7", "203.0.113.9"


@pytest.fixture
def trust(settings):
    def trust(named: str) -> None:
        settings.HEADSHOTLY = replace(
            settings.HEADSHOTLY, options={**settings.HEADSHOTLY.options, "proxies.trusted": named}
        )

    return trust


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (BALANCER, CLIENT, CLIENT),
        (BALANCER, f"{EVE}, {CLIENT}", CLIENT),  # the first was written by the client itself
        (BALANCER, f"{EVE}, {CLIENT}, 10.20.1.4", CLIENT),  # two proxies of ours in a row
        (BALANCER, f"{CLIENT}:51234", CLIENT),
        (BALANCER, "[2001:db8::7]:443", "2001:db8::7"),
        (BALANCER, "::ffff:198.51.100.7", CLIENT),
        ("fd00:20::9", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.20.0.7", CLIENT, CLIENT),
        (BALANCER, "", BALANCER),
        (BALANCER, "unknown", BALANCER),
        (BALANCER, f"{EVE}, unknown", BALANCER),  # what a proxy of ours did not write is not read
        (BALANCER, "10.20.1.4", "10.20.1.4"),
        (EVE, CLIENT, EVE),
        (EVE, f"{CLIENT}, {BALANCER}", EVE),
        ("10.20.2.1", CLIENT, "10.20.2.1"),  # beside our networks
        ("", CLIENT, ""),
        ("not an address", CLIENT, "not an address"),
    ],
)
def test_the_client_is_the_first_from_the_end_that_is_no_proxy_of_ours(peer, forwarded, client) -> None:
    assert proxies.client_of(peer, forwarded, OURS) == client


@given(st.text(), st.ip_addresses().filter(lambda one: not proxies.is_trusted(str(one), OURS)))
def test_nothing_a_client_writes_changes_whom_we_take_it_for(written, address) -> None:
    plain = str(getattr(address, "ipv4_mapped", None) or address)
    assert proxies.client_of(BALANCER, f"{written},{address}", OURS) == plain
    assert proxies.client_of(str(address), written, OURS) == str(address)
    assert proxies.client_of(str(address), written, ()) == str(address)


@pytest.mark.parametrize("named", ["10.20.0.0/33", "balancer.example", "10.20.0.1/24", "10.0.0.0/8;1.1.1.1"])
def test_an_option_that_is_no_network_is_refused(named) -> None:
    with pytest.raises(Refusal, match="no network"):
        proxies.networks(named)


@pytest.mark.parametrize("named", ["0.0.0.0/0", "10.0.0.0/8,::/0"])
def test_everybody_is_no_proxy(named) -> None:
    with pytest.raises(Refusal, match="every address"):
        proxies.networks(named)


def seen(peer: str, **headers: str) -> tuple[str, bool]:
    found = {}

    def answer(request):
        found.update(address=request.META["REMOTE_ADDR"], secure=request.is_secure())

    secure = headers.pop("tls", "") == "yes"
    proxies.BehindProxies(answer)(RequestFactory().get("/", secure=secure, headers=headers, REMOTE_ADDR=peer))
    return found["address"], found["secure"]


def test_the_scheme_is_believed_from_our_proxies_alone(trust) -> None:
    forged = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"}
    assert seen(BALANCER, **forged) == (BALANCER, False), "without the option nobody is believed"
    trust("10.20.0.0/24")
    assert seen(BALANCER, **forged) == (CLIENT, True)
    assert seen(EVE, **forged) == (EVE, False)
    assert seen(BALANCER, **{"X-Forwarded-Proto": "http"}, tls="yes") == (BALANCER, False)
    assert seen(BALANCER, **{"X-Forwarded-Proto": "https,http"}) == (BALANCER, False)
    assert seen(BALANCER, tls="yes") == (BALANCER, True)
    assert seen(EVE, **{"Forwarded": f"for={CLIENT};proto=https", "X-Real-IP": CLIENT}) == (EVE, False)


@pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])
class TestTheHouse:
    def sign_in(self, peer: str, forwarded: str, email: str) -> int:
        client = Client(REMOTE_ADDR=peer, headers={"X-Forwarded-For": forwarded})
        answer = client.post("/account/sign-in/", {"email": email, "password": "x"}, secure=True)
        return answer.status_code

    @pytest.fixture(autouse=True)
    def _little_patience(self, monkeypatch) -> None:
        monkeypatch.setattr(patience, "CLIENT", patience.Patience(free=4, longest=patience.CLIENT.longest))

    def test_limits_count_the_client_and_not_the_balancer(self, trust) -> None:
        trust("10.20.0.0/24")
        answers = [self.sign_in(BALANCER, EVE, f"p{number}@example.org") for number in range(6)]
        assert 429 in answers
        assert self.sign_in(BALANCER, CLIENT, "ada@example.org") != 429

    def test_nobody_escapes_a_limit_with_headers_of_their_own(self, trust) -> None:
        trust("10.20.0.0/24")
        answers = [self.sign_in(EVE, f"192.0.2.{number}", f"p{number}@example.org") for number in range(6)]
        assert 429 in answers
        answers = [
            self.sign_in(BALANCER, f"192.0.2.{number}, {CLIENT}", f"q{number}@example.org") for number in range(6)
        ]
        assert 429 in answers

    def test_a_block_meets_the_client_behind_the_balancer_and_nobody_else(self, trust) -> None:
        from headshotly.audit.actor import SYSTEM

        trust("10.20.0.0/24")
        blocks.begin(actor=SYSTEM, address=pseudonyms.of_address(EVE), reason="test")
        try:
            ask = lambda peer, said: Client(REMOTE_ADDR=peer, headers={"X-Forwarded-For": said}).get("/", secure=True)  # noqa: E731
            assert ask(BALANCER, EVE).status_code == 403
            assert ask(BALANCER, f"{CLIENT}, {EVE}").status_code == 403
            assert ask(BALANCER, f"{EVE}, {CLIENT}").status_code == 200, "nobody is shut out by what another wrote"
            assert ask(EVE, CLIENT).status_code == 403
        finally:
            blocks.forget()

    def test_the_line_of_a_request_tells_the_client(self, trust, monkeypatch) -> None:
        from headshotly.incidents import spool

        lines = []

        class Writer:
            def append(self, line: dict) -> None:
                lines.append(line)

        monkeypatch.setattr(spool, "writer", lambda _name: Writer())
        trust("10.20.0.0/24")
        Client(REMOTE_ADDR=BALANCER, headers={"X-Forwarded-For": CLIENT}).get("/", secure=True)
        Client(REMOTE_ADDR=EVE, headers={"X-Forwarded-For": CLIENT}).get("/", secure=True)
        assert [line["address"] for line in lines] == [pseudonyms.of_address(CLIENT), pseudonyms.of_address(EVE)]


def test_a_connection_stays_open_for_as_long_as_a_balancer_needs(tmp_path):
    pem, key = certificate.ensure(tmp_path / "tls", host="localhost")
    given = {"port": 8443, "host": "127.0.0.1", "certificate": pem, "key": key, "workers": 1}
    assert server.https(lambda *_: [], **given, keepalive=75).cfg.keepalive == 75
    assert server.https(lambda *_: [], **given).cfg.keepalive == server.KEEPALIVE_SECONDS == 5
