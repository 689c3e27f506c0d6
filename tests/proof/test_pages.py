"""What a page loads and says."""

import re

import pytest

from headshotly.proof import canary, pages

OWN = frozenset({"localhost"})


@pytest.mark.clause("1.2.d")
@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/x.js">',
        '<img src="//cdn.example/x.png">',
        '<img srcset="/a.png 1x, https://cdn.example/b.png 2x">',
        '<link rel="stylesheet" href="https://cdn.example/x.css">',
        "<style>@import 'https://cdn.example/x.css';</style>",
        '<p style="background: url(https://cdn.example/x.png)">',
        '<form action="https://cdn.example/">',
        '<iframe src="https://cdn.example/"></iframe>',
        '<meta http-equiv="refresh" content="0; url=https://cdn.example/">',
        '<object data="https://cdn.example/x.swf">',
        '<video poster="https://cdn.example/x.png">',
    ],
)
def test_what_is_foreign_is_found(html) -> None:
    assert [one for one in pages.foreign(html, own=OWN) if "cdn.example" in one]


def test_what_is_ours_and_plain_links_are_not() -> None:
    html = '<a href="https://elsewhere.example/">x</a><img src="/a.png"><img src="data:image/png;base64,AA=="><form>'
    assert pages.foreign(html + '<script src="https://localhost/x.js"></script>', own=OWN) == []


def test_words_are_what_is_read() -> None:
    assert pages.words("<p>One &amp;\n two</p><script>three</script><p>four") == "One & two four"


@pytest.mark.parametrize(
    ("policy", "loose"),
    [
        ("", {"default-src", "base-uri", "form-action", "frame-ancestors"}),
        ("default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'", set()),
        (
            "default-src *; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            {"default-src", "default-src *"},
        ),
        (
            "default-src 'none'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            {"script-src 'unsafe-inline'"},
        ),
    ],
)
def test_a_loose_policy_is_found(policy, loose) -> None:
    assert set(pages.loose_sources(policy)) == loose


@pytest.mark.clause("3.2.a")
@pytest.mark.parametrize("shift", range(6))
def test_a_canary_is_found_in_every_spelling(shift) -> None:
    import base64

    word = "canary.0123456789@example.invalid"
    pattern = canary.spellings(word)
    padded = b"x" * shift + word.encode() + b"tail"
    for spelled in (padded, padded.hex().encode(), base64.b64encode(padded), word.encode("utf-16-le")):
        assert pattern.search(spelled)
    assert not re.search(pattern, b"canary.9876543210@example.invalid")
