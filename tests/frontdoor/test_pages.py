"""The pages as they are written: nothing inline, nothing foreign, colours that can be read, plain words on errors."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from headshotly.frontdoor import views
from headshotly.frontdoor.middleware import PlainRefusals
from headshotly.policy import configuration
from headshotly.policy.refusal import Refusal

PACKAGE = Path(views.__file__).resolve().parents[1]
TEMPLATES = sorted(PACKAGE.glob("*/templates/**/*.html"))
SCRIPTS = sorted(PACKAGE.glob("*/static/**/*.js"))
STYLE_SHEET = PACKAGE / "frontdoor" / "static" / "frontdoor" / "site.css"
PALETTE = re.compile(r"--([a-z-]+): (#[0-9a-f]{6})")
TEXT_ON = [
    ("ink", "paper"), ("ink", "sheet"), ("ink", "mat"), ("ink", "accent-soft"),
    ("soft", "paper"), ("soft", "sheet"), ("soft", "mat"),
    ("accent", "paper"), ("accent", "sheet"), ("accent-ink", "accent"), ("gold-ink", "paper"),
    ("good", "good-soft"), ("good", "accent-soft"), ("bad", "bad-soft"), ("bad", "sheet"),
]  # fmt: skip
SHAPES_ON = [("gold", "paper"), ("gold", "sheet"), ("accent", "sheet"), ("soft", "paper")]


class Part(NamedTuple):
    """A part of the style sheet with a palette of its own."""

    name: str
    colours: dict[str, str]


def palettes() -> list[Part]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE_SHEET.read_text(), flags=re.DOTALL)
    return [Part("light", dict(PALETTE.findall(light))), Part("dark", dict(PALETTE.findall(dark)))]


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2.2, definition of relative luminance)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_the_standard_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("part", palettes(), ids=lambda part: part.name)
@pytest.mark.parametrize(("ink", "paper"), TEXT_ON)
def test_text_can_be_read(part: Part, ink: str, paper: str) -> None:
    assert contrast(part.colours[ink], part.colours[paper]) >= 4.5


@pytest.mark.parametrize("part", palettes(), ids=lambda part: part.name)
@pytest.mark.parametrize(("shape", "paper"), SHAPES_ON)
def test_shapes_can_be_seen(part: Part, shape: str, paper: str) -> None:
    assert contrast(part.colours[shape], part.colours[paper]) >= 3


@pytest.mark.clause("1.2.d")
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_anything_inline_or_foreign(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=|<style|javascript:|\son[a-z]+=", text)
    assert all(re.search(r"\ssrc=", tag) for tag in re.findall(r"<script[^>]*>", text))
    assert not re.search(r"""(?:src|href|action|srcset)=["'](?:https?:)?//""", text)
    assert "|safe" not in text
    assert "autoescape off" not in text


@pytest.mark.clause("1.2.d")
@pytest.mark.parametrize("path", [*SCRIPTS, STYLE_SHEET], ids=lambda path: path.name)
def test_no_script_or_style_sheet_reaches_outside(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"https?://|@import|url\(\s*['\"]?//", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_static_file_a_template_names_exists(path: Path) -> None:
    for name in re.findall(r"""{% static ['"]([^'"]+)['"] %}""", path.read_text()):
        assert finders.find(name), name


def test_there_are_templates_and_scripts_to_check() -> None:
    names = {path.name for path in (*TEMPLATES, *SCRIPTS)}
    assert {"base.html", "landing.html", "home.html", "shoot.html", "receipt.html", "upload.js", "shoot.js"} <= names


@pytest.mark.django_db
def test_the_landing_page_shows_every_style(client: Client) -> None:
    page = client.get("/", secure=True)
    text = page.content.decode()
    assert page.status_code == 200
    assert text.count('class="print"') == text.count('class="mat"') >= 12
    assert configuration.current().operator.security_email in text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.django_db
@pytest.mark.parametrize("signal", ["1", "0", None])
def test_a_privacy_signal_is_shown_to_be_honoured(client: Client, signal: str | None) -> None:
    headers = {} if signal is None else {"Sec-GPC": signal}
    page = client.get("/", secure=True, headers=headers)
    assert ("Opt-Out Request Honored" in page.content.decode()) is (signal == "1")
    assert (page.headers.get("X-Opt-Out-Request") == "honored") is (signal == "1")


@pytest.mark.django_db
def test_a_wrong_address_gets_a_page_of_ours(client: Client) -> None:
    page = client.get("/nothing-here/", secure=True)
    assert page.status_code == 404
    assert "There is nothing here" in page.content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token_is_told_so() -> None:
    page = Client(enforce_csrf_checks=True).post("/account/sign-up/", {"name": "x"}, secure=True)
    assert page.status_code == 403
    assert "This form is too old" in page.content.decode()


@pytest.mark.django_db
def test_too_many_bytes_are_refused_before_they_are_read(client: Client) -> None:
    most = configuration.current().request_bytes_max
    page = client.post(
        "/studio/upload/", b"x", content_type="image/jpeg", secure=True, headers={"Content-Length": str(most + 1)}
    )
    assert page.status_code == 413
    assert f"{most >> 20} MB is the most we take" in page.content.decode()
    assert page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (views.bad_request, 400),
        (lambda request: views.forbidden(request, PermissionDenied()), 403),
        (views.server_error, 500),
    ],
)
@pytest.mark.django_db
def test_errors_have_pages_of_ours(
    rf: RequestFactory, answer: Callable[[HttpRequest], HttpResponse], status: int
) -> None:
    page = answer(rf.get("/"))
    assert page.status_code == status
    assert b"To the first page" in page.content
    assert b"Traceback" not in page.content


class Closed(Refusal):
    """A refusal for this test."""

    code = "test.closed"
    status = 409


@pytest.mark.django_db
def test_a_refusal_becomes_a_page_or_json(rf: RequestFactory) -> None:
    refusals = PlainRefusals(lambda _request: HttpResponse())
    refusal = Closed("The <door> is closed.")
    page = refusals.process_exception(rf.get("/"), refusal)
    data = refusals.process_exception(rf.get("/", headers={"Accept": "application/json"}), refusal)
    assert page is not None
    assert data is not None
    assert (page.status_code, data.status_code) == (409, 409)
    assert b"The &lt;door&gt; is closed." in page.content
    assert b'"code": "test.closed"' in data.content
    assert refusals.process_exception(rf.get("/"), ValueError("secret")) is None
