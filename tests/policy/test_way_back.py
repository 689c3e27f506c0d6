"""Where a form may send somebody afterwards."""

import pytest
from django.shortcuts import redirect
from django.test import RequestFactory

from headshotly.policy.way_back import way_back

OTHERWISE = "/studio/"


@pytest.mark.parametrize("wanted", ["/", "/your-data/?a=1#copy", "/trust/en/"])
def test_a_path_of_this_site_is_gone_to(wanted: str) -> None:
    request = RequestFactory().post("/anywhere/", {"next": wanted})
    assert way_back(request, otherwise=OTHERWISE) == wanted
    assert redirect(wanted).url == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "", "https://evil.example/", "//evil.example", "/\\evil.example", "///evil.example", "javascript:alert(1)",
        "\x00/", "/" + "a" * 5000,
        # What the scan of the running service found: Django takes a word for the name of a view, and fails.
        "a|sleep 60;", "landing", "accounts:sign-out", "..", "studio/",
    ],
)  # fmt: skip
def test_anything_else_leads_to_the_usual_page(wanted: str) -> None:
    for request in (RequestFactory().post("/x/", {"next": wanted}), RequestFactory().get("/x/", {"next": wanted})):
        assert way_back(request, otherwise=OTHERWISE) == OTHERWISE
