"""The console leads each role to what it may see, and counts what waits there."""

import re

import pytest
from django.urls import reverse

from headshotly.access import console, grants, members
from headshotly.access.models import Role
from tests.access.conftest import at_desk, make_member

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("2.4.a")]


@pytest.mark.parametrize("role", Role.values)
def test_every_place_shown_opens_and_every_other_stays_shut(role):
    member = make_member(role)
    client = at_desk(member)
    page = client.get("/staff/").content.decode()
    shown = {place.view for _, places in console.places_of(member) for place, _ in places}
    assert "access:desk" in shown
    for place in console._PLACES:
        address = reverse(place.view)
        assert (f'href="{address}"' in page) == (place.view in shown), place.view
        assert client.get(address).status_code == (200 if place.view in shown else 403), place.view


def test_what_waits_is_counted_and_comes_first(customer):
    support, officer = make_member("support"), make_member("security-officer")
    grants.ask(
        member=support, scope="details", subject=customer.id, purpose="support-request", ticket="SUP-1", minutes=30
    )
    page = at_desk(officer).get("/staff/").content.decode()
    assert re.search(r"<strong>1</strong>\s*Grants", page)
    assert re.search(r'Grants <span class="count">1', page)
    assert "Nothing waits for you." in at_desk(support).get("/staff/").content.decode()


def test_whoever_is_not_signed_in_sees_no_places(client):
    page = client.get("/staff/sign-in/", secure=True).content.decode()
    assert "places__group" not in page


def test_a_place_is_named_once_and_in_a_group_there_is():
    with pytest.raises(ValueError, match="cannot be placed"):
        console.place(label="Desk", view="access:desk", right="", group="Today")
    with pytest.raises(ValueError, match="cannot be placed"):
        console.place(label="X", view="access:x", right="", group="Nowhere")


def test_every_right_a_place_names_exists():
    from headshotly.access.rights import RIGHTS

    assert {place.right for place in console._PLACES} - {""} <= set(RIGHTS)
    assert members.rights_of(make_member("auditor")) >= {"people.read", "machines.read", "grants.read"}
