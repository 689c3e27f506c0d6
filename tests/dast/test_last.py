"""The last look keeps to what ends things, is believed only where it ended something, and looks twice where in doubt."""

from pathlib import Path
from typing import Any

import pytest

from dast import addresses, crawl, door, last
from dast.results import Found, Scan, ScanFailed
from dast.serving import Service

TABLE = (Path(__file__).resolve().parents[2] / "docs" / "permissions.md").read_text(encoding="utf-8")
INJECTION = Found("sql-injection", "/your-data/delete/", "POST: SQL Injection", "error", "POST what", 89)
CERTAIN = Found("internal-server-error", "/your-data/delete/", "POST: a 500", "error", "POST what", 755)


@pytest.fixture
def means(tmp_path: Path) -> last.Means:
    service = Service("https://localhost:1", tmp_path, tmp_path, {}, tmp_path / "log", tmp_path / "asked")
    return last.Means(
        service, TABLE, tmp_path, "http://127.0.0.1:9/", tmp_path.joinpath, crawl.Bounds(attack=2), "sql,xss"
    )


@pytest.mark.parametrize("there", [True, False])
def test_what_was_concluded_from_pages_differing_is_looked_at_again_in_the_last_look(means, monkeypatch, there: bool):
    asked: list[dict[str, Any]] = []

    def scan(url: str, **named: Any) -> Scan:
        asked.append({"url": url, **named})
        again = named["modules"] == "sql"
        found = [INJECTION] if again and there else [] if again else [INJECTION, CERTAIN]
        return Scan("wapiti", found=found, covered=frozenset({"/your-data/delete/"}))

    monkeypatch.setattr(crawl, "scan", scan)
    seen = means._crawl(
        "http://localhost:2", start=["/your-data/delete/"], wanted=addresses.last("customer"), attacks="sql,xss"
    )
    assert [one["modules"] for one in asked] == ["sql,xss", "sql"]
    assert seen.found == ([INJECTION, CERTAIN] if there else [CERTAIN])
    assert bool(seen.notes) is not there
    for one in asked:
        assert one["callback"] == means.listener
        assert one["bounds"].depth == 1
        assert not set(addresses.patterns(addresses.LAST["customer"])) & set(one["leave_alone"])
        assert {"/studio/photos/*-*/delete/", "/staff/people/", "/language/"} <= set(one["leave_alone"])


def test_a_look_that_ended_nothing_or_missed_a_page_says_nothing(means):
    opened = door.Door(means.service, lambda: door.Account({}), None, "http://localhost:2")
    with pytest.raises(ScanFailed, match="Nothing was ended by customers"):
        last._through(opened, Scan("wapiti"), by="customers")
    opened.ended = 3
    assert last._through(opened, Scan("wapiti"), by="customers").notes == [
        "Ended by customers: 3 accounts or sessions."
    ]
    with pytest.raises(ScanFailed, match="/your-data/"):
        last._require_seen(Scan("wapiti", covered=frozenset({"/"})), ["/", "/your-data/"])
