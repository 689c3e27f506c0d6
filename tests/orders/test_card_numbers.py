"""Card numbers are found however they are written, nothing else is taken for one, and none gets in, down or out."""

import base64
import io
import json
import logging
import random
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from headshotly.accounts.models import Customer
from headshotly.audit.acts import Act
from headshotly.audit.leaf import decode
from headshotly.audit.models import PendingEntry
from headshotly.frontdoor.logs import StructuredLines
from headshotly.orders import card_scan
from headshotly.orders.card_numbers import MASK, find, holds_one, is_card_number, mask
from tests.accounts.conftest import browser

pytestmark = pytest.mark.clause("7.1.b")

VISA = "4242424242424242"
# Numbers that card schemes and payment services publish for tests; no account stands behind them.
PUBLISHED = [
    VISA, "4012888888881881", "4222222222222", "5555555555554444", "5105105105105100", "2223003122003222",
    "378282246310005", "371449635398431", "6011111111111117", "6011000990139424", "30569309025904", "38520000023237",
    "3530111333300000", "6200000000000005", "6304000000000000",
]  # fmt: skip
WRITTEN = [
    "4242 4242 4242 4242", "4242-4242-4242-4242", "3782 822463 10005", "4242.4242.4242.4242", "4242/4242/4242/4242",
    "4242, 4242, 4242, 4242", "4242_4242_4242_4242", "4242\n4242\n4242\n4242", "4242  4242  4242  4242",
    "4242\u00a04242\u20114242\u20134242", "42\u200b42424242424242", "424242 4242424242", "card:4242424242424242.",
    "nr4242424242424242x", "1234 4242424242424242 99", "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2", "4242|4242|4242|4242",
    "６０１１０００９９０１３９４２４", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "४२४२ ४२४२ ४२४२ ४२४२", "④②④②④②④②④②④②④②④②", "%B4242424242424242^DOE/J^2512",
]  # fmt: skip
HARMLESS = [
    "4242424242424241", "0000 0000 0000 0000", "PL61 1090 1014 0000 0712 1981 2874", "PL61109010140000071219812874",
    "52.2296756, 21.0122287", "+48 22 123 45 67", "2026-11-27 07:56:20.123456", "1795766400123", "1795766400123456789",
    "41111111111111111111111111111111111111", "42305aa5-202e-400d-a55c-d158626a5cad", "[2400, 2900, 4242, 4242, 4242, 4242]",
    "HS-2026-000001", "127.0.0.1:8443",
]  # fmt: skip


@pytest.mark.parametrize("number", PUBLISHED)
def test_every_brand_is_known(number):
    assert is_card_number(number)
    assert mask(f"my card {number}, please") == f"my card {MASK}, please"
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert not is_card_number(wrong)


@pytest.mark.parametrize("text", WRITTEN)
def test_it_is_found_however_it_is_written(text):
    assert holds_one(text)
    assert not holds_one(mask(text))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_none_is_left_alone(text):
    assert find(text) == []
    assert mask(text) == text


def _digit(base: int):
    return lambda digit: chr(base + int(digit))


SCRIPTS = [str, _digit(0xFF10), _digit(0x0660), _digit(0x06F0), _digit(0x0966), _digit(0x1D7CE)]


@given(
    start=st.sampled_from(["4", "51", "55", "2221", "2720", "6011", "65", "3528", "62"]),
    rest=st.text("0123456789", min_size=15, max_size=15),
    gaps=st.lists(st.sampled_from(["", "", " ", "-", "\u00a0", "\u2013", "\u200d", " - "]), min_size=15, max_size=15),
    script=st.sampled_from(SCRIPTS),
    around=st.tuples(st.sampled_from(["", "card ", "x", "("]), st.sampled_from(["", " thanks", "y", ")"])),
)
def test_any_number_in_any_script_with_anything_between_is_found(start, rest, gaps, script, around):
    body = (start + rest)[:15]
    last = next(digit for digit in "0123456789" if is_card_number(body + digit))
    written = "".join(script(digit) + gap for digit, gap in zip(body + last, [*gaps, ""], strict=True))
    assert holds_one(around[0] + written + around[1])
    assert not holds_one(mask(around[0] + written + around[1]))


@given(st.text())
def test_any_text_can_be_looked_at(text):
    assert isinstance(mask(text), str)
    assert not holds_one(mask(text)) or MASK in mask(text)


def test_random_identifiers_are_not_taken_for_cards():
    chance = random.Random(20261127)
    make = {
        "UUID": lambda: str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "UUID without dashes": lambda: uuid.UUID(int=chance.getrandbits(128), version=4).hex,
        "SHA-256": lambda: f"{chance.getrandbits(256):064x}",
        "token": lambda: base64.urlsafe_b64encode(chance.randbytes(32)).decode(),
        "milliseconds": lambda: str(chance.randrange(1_600_000_000_000, 1_900_000_000_000)),
        "nanoseconds": lambda: str(chance.randrange(16 * 10**17, 19 * 10**17)),
        "twenty digits": lambda: str(chance.randrange(10**19, 10**20)),
        "list of numbers": lambda: str([chance.randrange(3000) for _ in range(12)]),
    }
    wrong = {name: sum(holds_one(one()) for _ in range(4000)) for name, one in make.items()}
    assert wrong == dict.fromkeys(make, 0)
    sixteen = sum(holds_one(str(chance.randrange(10**15, 10**16))) for _ in range(4000)) / 4000
    assert 0.02 < sixteen < 0.05, "a tenth passes Luhn, a third of that has a brand: nobody can tell these from cards"


# at the doors


@pytest.fixture
def desk(customer):
    client = browser()
    client.force_login(customer)
    return client


def entries():
    return [decode(bytes(one.leaf)) for one in PendingEntry.objects.all()]


def refused(answer) -> None:
    assert answer.status_code == 422
    assert "looks like a card number" in answer.content.decode()
    assert VISA not in answer.content.decode()


@pytest.mark.django_db(databases="__all__")
def test_no_field_name_address_header_or_upload_takes_one(desk, customer):
    spaced = "4242 4242 4242 4242"
    refused(desk.post("/your-data/requests/", {"kind": "correct", "text": f"my card is {spaced}", "regime": "either"}))
    refused(desk.post("/account/settings/", {"name": VISA}))
    refused(desk.post("/account/settings/", {VISA: "name"}))
    refused(desk.get("/orders/prices/", {"coupon": VISA}))
    refused(desk.get(f"/orders/seat/{VISA}/"))
    refused(desk.get("/orders/prices/", headers={"User-Agent": f"Browser {VISA}"}))
    refused(desk.post("/studio/upload/", {"photos": SimpleUploadedFile(f"{VISA}.jpg", b"\xff\xd8\xff\x00")}))
    refused(desk.post("/studio/upload/", {"photos": SimpleUploadedFile("card.txt", f"no: {spaced}".encode())}))
    refused(desk.post("/account/settings/", json.dumps({"name": spaced}), content_type="application/json"))
    noted = [one for one in entries() if one.act == Act.CARD_NUMBER_REFUSED]
    assert len(noted) == 9
    assert "4242" not in repr(noted)
    assert desk.get("/orders/prices/").status_code == 200
    assert card_scan.scan().places == (), "nothing of it is anywhere"


@pytest.mark.django_db(databases="__all__")
def test_a_password_that_is_one_is_refused_like_every_field(db_all):
    form = {"name": "Ada", "email": "ada@example.org", "password": VISA}
    refused(browser().post("/account/sign-up/", form))
    assert not Customer.objects.exists()


def test_log_lines_and_tracebacks_lose_them():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(StructuredLines())
    log = logging.Logger("headshotly.orders.test")  # noqa: LOG001 - of its own, so that nothing else hears it
    log.addHandler(handler)
    log.warning("paid with %s", "4242-4242-4242-4242")
    log.warning("card.used", extra={"code": f"c:{VISA}", "count": int(VISA)})
    try:
        int(VISA + "x")
    except ValueError:
        log.exception("payment.broke")
    said = stream.getvalue()
    assert "4242" not in said
    assert said.count(MASK) == 1
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["event"] for line in lines] == ["log.said", "card.used", "payment.broke"]
    assert lines[1]["withheld"] == ["count"]
    assert lines[2]["error"] == "ValueError"


def test_every_log_handler_masks(settings):
    for handler in settings.LOGGING["handlers"].values():
        formatter = settings.LOGGING["formatters"][handler["formatter"]]
        assert formatter["()"] == "headshotly.frontdoor.logs.StructuredLines"


# in the stores


@pytest.mark.django_db(databases="__all__")
def test_the_scan_finds_a_planted_number_in_a_row_a_number_column_and_a_log(customer, tmp_path):
    log = tmp_path / "service.log"
    log.write_text("all is well\n")
    clean = card_scan.scan(folders=[tmp_path])
    assert clean.places == ()
    assert clean.values > 100, "a scan that read nothing proves nothing"
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE left_behind (note text, number bigint)")
        cursor.execute("INSERT INTO left_behind VALUES ('paid by 4242 4242 4242 4242', 1)")
        cursor.execute("INSERT INTO left_behind VALUES ('', 5555555555554444)")
    log.write_text("x" * ((1 << 20) - 8) + f" {VISA}\n")
    try:
        assert card_scan.scan(folders=[tmp_path]).places == (
            "file service.log", "table left_behind.note", "table left_behind.number",
        )  # fmt: skip
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE left_behind")
