"""Every address of the service is looked at by a scan or left out by name, with a reason."""

import re
from pathlib import Path

import pytest

from dast import __main__ as program_of_ours
from dast import addresses
from dast.results import Scan, ScanFailed
from headshotly.policy.permission import permission_of
from tests.access.test_permissions import addresses as of_the_service

TABLE = (Path(__file__).resolve().parents[2] / "docs" / "permissions.md").read_text(encoding="utf-8")
ABOUT_NOBODY = """# Who
| address | permission | visitor | officer | dpo |
|---|---|---|---|---|
| `/staff/` | staff | 302 | 200 | 200 |
| `/staff/rights/` | staff:r | 302 | 200 | 200 |
| `/staff/rights/\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}uuid:one\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}/answer/` | staff:a | 302 | 403 | 405 |
| `/staff/people/` | staff:p | 302 | 200 | 200 |
| `/policy/` | public | 200 | 200 | 200 |

## Commands
| `headshotly staff create` | operator |
"""


def real() -> dict[str, str]:
    return {where: permission_of(view) or "" for where, view in of_the_service()}


def test_no_address_of_the_service_is_left_out_without_a_reason():
    """A new address is looked at by whoever its permission names; one that is for nobody here must be named."""
    nobody = [one for one, needed in real().items() if not addresses.scans_of(one, needed)]
    assert sorted(nobody) == sorted(addresses.LEFT_OUT)
    assert all(reason for reason in addresses.LEFT_OUT.values())


def test_what_is_left_out_or_looked_at_last_is_there():
    there = set(real())
    assert set(addresses.LEFT_OUT) <= there
    for who, group in addresses.LAST.items():
        assert set(group) <= there, who
        assert all(group.values())
        assert addresses.last(who) <= there
    assert addresses.known(TABLE) == there


def test_an_address_for_machines_that_nobody_named_would_be_missed():
    assert addresses.scans_of("/api/new/", "service:new.read") == ""
    assert addresses.scans_of("/staff/new/", "staff:new.read") == "staff"
    assert addresses.scans_of("/new/", "customer") == "customer"
    assert addresses.scans_of("/your-data/delete/", "customer") == "last"


def test_what_a_crawl_leaves_alone_is_looked_at_last_or_by_another():
    """The crawl of a customer keeps off what the last look and the visitor's crawl look at, and off nothing else."""

    def kept_off(where: str, patterns: tuple[str, ...]) -> bool:
        return any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), where) for one in patterns)

    for where, needed in real().items():
        if needed == "customer" and kept_off(where, program_of_ours._ENDS):
            assert where in addresses.LAST["customer"] or where in addresses.LEFT_OUT, where
        if needed.startswith("staff") and kept_off(where, program_of_ours._STAFF_ENDS):
            # an enrolment's pattern, or a page of one and the same form
            assert where in addresses.LAST["staff"], where
    assert {"/staff/prove/", "/staff/sign-in/"} == program_of_ours._STAFF_LEFT


def test_patterns_keep_off_everything_but_what_is_wanted():
    every = {"/a/", "/a/<uuid:one>/", "/a/<uuid:one>/end/", "/b/<str:token>.svg"}
    assert addresses.patterns(every) == ["/a/", "/a/*-*/", "/a/*-*/end/", "/b/*.svg"]
    assert addresses.patterns(every, but=["/a/7-8/"]) == ["/a/", "/a/*-*/end/", "/b/*.svg"]


def test_what_opens_to_one_role_and_not_to_another():
    pages, all_of_it = addresses.beyond(ABOUT_NOBODY, who="dpo", but="officer")
    assert pages == ["/staff/rights/"]
    assert all_of_it == {"/staff/rights/", "/staff/rights/<uuid:one>/answer/"}
    assert addresses.beyond(ABOUT_NOBODY, who="officer", but="dpo") == ([], frozenset())
    for refused in ({"table": "", "who": "dpo", "but": "officer"}, {"table": TABLE, "who": "dpo", "but": "nobody"}):
        with pytest.raises(ScanFailed):
            addresses.beyond(**refused)
    with pytest.raises(ScanFailed):
        addresses.known("")


def test_every_role_of_the_last_look_opens_something_of_its_own():
    from dast import last

    beyond = {role: addresses.beyond(TABLE, who=role, but=last.OFFICER) for role in last.OTHERS}
    assert all(pages and everything for pages, everything in beyond.values()), beyond
    covered = {one for _, everything in beyond.values() for one in everything}
    rows = addresses._rows(TABLE)
    column, to_whom = rows[0].index(last.OFFICER), {row[0].strip("`"): row for row in rows[1:]}
    for where, needed in real().items():
        if needed.startswith("staff:") and to_whom[where][column] == "403":
            assert where in covered, f"{where} opens to no role that a scan signs in as"


def test_what_no_scan_came_to_is_named():
    every = addresses.known(ABOUT_NOBODY) - addresses._SIGN_OUT
    seen = {
        "/staff/",
        "/staff/rights/",
        "/staff/rights/7/answer/",
        "/policy/",
        "/account/sign-out/",
        "/staff/sign-out/",
    }
    assert every == {"/staff/", "/staff/rights/", "/staff/rights/<uuid:one>/answer/", "/staff/people/", "/policy/"}
    assert addresses.unseen(ABOUT_NOBODY, seen) == ["/staff/people/"]
    assert addresses.unseen(ABOUT_NOBODY, seen - {"/staff/rights/7/answer/"}) == [
        "/staff/people/",
        "/staff/rights/<uuid:one>/answer/",
    ]
    assert "/staff/people/" in addresses.unseen(ABOUT_NOBODY, [f"{one}more" for one in seen])
    assert Scan("wapiti").covered == frozenset()


def test_pages_that_open_to_somebody_and_are_about_nothing_must_be_come_to():
    assert addresses.pages(ABOUT_NOBODY) == {"/staff/", "/staff/rights/", "/staff/people/", "/policy/"}
    ours = addresses.pages(TABLE)
    assert {"/", "/studio/delete-everything/", "/staff/orders/", "/trust/badge.svg"} <= ours
    assert not ours & addresses.LEFT_OUT.keys()
    unseen_page = Scan("wapiti", covered=frozenset({"/"}))
    with pytest.raises(ScanFailed, match="/staff/orders/"):
        program_of_ours._say_what_was_not_seen([unseen_page])


def test_a_scan_that_came_to_every_page_names_what_else_it_did_not_come_to(capsys):
    program_of_ours._say_what_was_not_seen([Scan("wapiti", covered=addresses.pages(TABLE))])
    said = capsys.readouterr().out
    assert "/studio/photos/<uuid:photo_id>/delete/" in said
    assert "/staff/orders/\n" not in said


def test_how_long_a_scan_may_take_is_the_gates_or_what_was_asked_for():
    gate, long, minute = (program_of_ours.effort(wanted) for wanted in ("", "long", "60"))
    assert gate.visitor.attack < minute.visitor.attack == 60 < long.visitor.attack
    assert "ldap" in long.modules.split(",")
    assert set(gate.modules.split(",")) < set(long.modules.split(","))
    with pytest.raises(ScanFailed, match="HEADSHOTLY_DAST"):
        program_of_ours.effort("soon")
