"""Addresses in templates are Django's own, however often they are asked for."""

from unittest import mock
from uuid import uuid4

import pytest
from django.http import HttpRequest
from django.template import Context, RequestContext, engines
from django.urls import NoReverseMatch, reverse, set_script_prefix
from django.urls.base import clear_script_prefix

from headshotly.policy.templatetags import addresses


def _rendered(text: str, **values: object) -> str:
    return engines["django"].from_string(text).template.render(Context(values))


@pytest.fixture(autouse=True)
def _nothing_kept():
    addresses._found.cache_clear()
    yield
    addresses._found.cache_clear()


def test_an_address_of_a_name_is_djangos_and_is_found_once() -> None:
    with mock.patch.object(addresses, "reverse", wraps=reverse) as found:
        for _ in range(3):
            assert _rendered("{% url 'studio:home' %}") == reverse("studio:home")
    assert found.call_count == 1


def test_an_identifier_stands_where_it_belongs_and_is_not_remembered() -> None:
    with mock.patch.object(addresses, "reverse", wraps=reverse) as found:
        for one in (uuid4(), uuid4(), uuid4()):
            assert _rendered("{% url 'studio:headshot' one %}", one=one) == reverse("studio:headshot", args=[one])
            assert _rendered("{% url 'studio:shoot' one as at %}<{{ at }}>", one=one) == (
                f"<{reverse('studio:shoot', args=[one])}>"
            )
    assert found.call_count == 2


@pytest.mark.parametrize("text", ["{% url 'policy:version' '1.0' %}", "{% url 'studio:shoot' shoot_id=one %}"])
def test_other_arguments_are_djangos(text) -> None:
    with mock.patch.object(addresses, "address", side_effect=AssertionError("not asked")):
        try:
            given = _rendered(text, one=uuid4())
        except NoReverseMatch:
            return  # as Django says it
    assert given.startswith("/")


def test_what_there_is_not_is_said_as_django_says_it() -> None:
    with pytest.raises(NoReverseMatch):
        _rendered("{% url 'studio:nowhere' %}")
    with pytest.raises(NoReverseMatch):
        _rendered("{% url 'studio:home' one %}", one=uuid4())
    assert _rendered("{% url 'studio:nowhere' as at %}<{{ at }}>") == "<>"
    with pytest.raises(NoReverseMatch):
        _rendered("{% url nothing %}")


def test_another_prefix_is_another_address() -> None:
    plain = _rendered("{% url 'studio:home' %}")
    set_script_prefix("/elsewhere/")
    try:
        assert _rendered("{% url 'studio:home' %}") == f"/elsewhere{plain}"
    finally:
        clear_script_prefix()


def test_a_page_without_a_match_has_addresses_too() -> None:
    template = engines["django"].from_string("{% url 'studio:home' %}").template
    assert template.render(RequestContext(HttpRequest(), {})) == reverse("studio:home")
