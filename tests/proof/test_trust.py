"""The trust page and its forms: the whole policy, nothing hidden, nothing borrowed, the same for everybody (1.3.a)."""

import datetime as dt
import json
import re
from html import unescape
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from defusedxml import ElementTree
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from headshotly.policy import clock
from headshotly.policy.clauses import clauses
from headshotly.proof import badge, changes, registry, selectors, services, trust
from headshotly.proof.findings import Assurance, Environment, Finding, Outcome, broken, held
from headshotly.proof.models import CheckRun, Evidence
from headshotly.proof.registry import Check
from headshotly.proof.trust_words import VERDICTS
from headshotly.proof.verdicts import Excuse, Seen, Verdict
from tests.accounts.conftest import browser, client, customer, db_all, signed_in  # noqa: F401 - fixtures

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("1.3.a")]
ATOM = "{http://www.w3.org/2005/Atom}"
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


def a_check(name: str, clause_ids: tuple[str, ...], finding: Finding | None = None) -> Check:
    found = finding or held("Fine.", population=1)
    return Check(
        id=name, clauses=clause_ids, title=f"Title {name}", words=f"Words of {name}.", assurance=Assurance.MEASURED,
        look=lambda _scene: found,
    )  # fmt: skip


@pytest.fixture
def only(monkeypatch):
    def put(*checks: Check) -> None:
        monkeypatch.setattr(registry, "load", lambda: {one.id: one for one in checks})

    return put


@pytest.fixture
def looked(only, scene):
    """One promise holds, one is broken, the others nobody looked at."""
    only(a_check("tls", ("3.1.a",)), a_check("mapping", ("1.3.a",), broken("Clause 9.9 maps to nothing.", ids=["9.9"])))
    return services.verify(scene=scene, asked_by="command")


def get(address: str = "/trust/en/", status: int = 200, **headers) -> str:
    answer = browser().get(address, **headers)
    assert answer.status_code == status
    return answer.content.decode()


class Visible(HTMLParser):
    """Collects what is seen without a click or a script."""

    def __init__(self) -> None:
        super().__init__()
        self.said, self.deep, self.ids = [], 0, []

    def handle_starttag(self, tag, attrs) -> None:
        named = dict(attrs)
        assert "hidden" not in named
        assert tag != "script"
        assert not any(name.startswith("on") or name == "style" for name in named)
        self.ids += [named["id"]] if "id" in named else []
        self.deep += tag == "details"

    def handle_endtag(self, tag) -> None:
        self.deep -= tag == "details"

    def handle_data(self, data) -> None:
        if not self.deep:
            self.said.append(data)


def visible(text: str) -> tuple[str, list[str]]:
    reader = Visible()
    reader.feed(text)
    return " ".join(" ".join(reader.said).split()), reader.ids


def test_every_sentence_stands_there_once_with_its_verdict(looked) -> None:
    said, ids = visible(get())
    assert [one for one in ids if one.startswith("clause-")] == [f"clause-{one}" for one in clauses()]
    for one in clauses().values():
        assert unescape(one.sentence) in said, one.id
    assert said.count("Not known") >= 53
    assert "1 of 55 promises hold" in said


def test_what_is_broken_is_seen_without_a_click_and_twice(looked) -> None:
    said, _ = visible(get())
    assert said.count(clauses()["1.3.a"].sentence) == 2
    assert "Clause 9.9 maps to nothing." in said
    assert said.count("Broken") >= 3


def test_how_we_look_is_said_in_plain_words(looked) -> None:
    text = get()
    assert "Words of tls." in text
    assert Evidence.objects.get(check_name="tls").sha256[:16] in text


def test_a_stand_in_says_so_and_never_counts_in_production(looked, settings) -> None:
    from dataclasses import replace

    assert "This installation is not production" in get()
    settings.HEADSHOTLY = replace(settings.HEADSHOTLY, environment="production")
    cache.clear()
    said, _ = visible(get())
    assert "0 of 55 promises hold" in said
    assert "seen in emulated only" in said
    document = json.loads(get("/trust/policy.json"))
    assert document["environment"] == "production"
    assert {one["verdict"] for one in document["clauses"]} == {"UNKNOWN", "FAIL"}


def test_what_is_vouched_for_or_accepted_is_never_green() -> None:
    assert [one for one in VERDICTS if VERDICTS[one].tone == "good"] == [Verdict.PASS]
    assert len({said.symbol for said in VERDICTS.values()}) == len(Verdict)


def test_it_is_the_same_for_everybody_and_caches_may_keep_it(looked, signed_in) -> None:  # noqa: F811 - the fixture
    theirs, ours = browser().get("/trust/en/"), signed_in.get("/trust/en/")
    assert theirs.content == ours.content
    assert "public" in theirs["Cache-Control"]
    assert not theirs.cookies
    signalled = browser().get("/trust/en/", headers={"Sec-GPC": "1"})
    for answer in (ours, signalled):
        # The house may put a cookie of this visitor beside it, which no shared cache may hand to another.
        assert "private" in answer["Cache-Control"]
        assert "public" not in answer["Cache-Control"]
    assert all("max-age=60" in answer["Cache-Control"] for answer in (theirs, ours, signalled))
    assert browser().get("/trust/en/", headers={"If-None-Match": theirs["ETag"]}).status_code == 304
    assert "Cookie" in browser().get("/trust/")["Vary"]
    assert "csrf" not in theirs.content.decode()


def test_a_new_run_shows_at_once(looked, only, scene) -> None:
    assert "1 of 55 promises hold" in get()
    only(a_check("tls", ("3.1.a",), broken("TLS 1.0 was accepted.", ids=["1.0"])))
    services.verify(scene=scene, asked_by="command")
    assert "TLS 1.0 was accepted." in get()


def test_a_cached_page_asks_the_database_once(looked) -> None:
    get()
    with CaptureQueriesContext(connection) as asked:
        get()
    # Every request asks now and then whether its address is blocked and the service read-only; that is not the page's.
    of_the_page = [query["sql"] for query in asked if '"incidents_' not in query["sql"]]
    assert len(of_the_page) <= 1, of_the_page


def test_the_policy_speaks_polish(looked) -> None:
    text = get("/trust/pl/")
    assert 'lang="pl"' in text
    assert "Polityka bezpieczeństwa" in text
    said, ids = visible(text)
    assert len([one for one in ids if one.startswith("clause-")]) == 55
    assert "Nie wiadomo" in said
    assert "/trust/pl/" in browser().get("/trust/changes.atom", headers={"Accept-Language": "pl"}).url
    get("/trust/de/", 404)


def test_nothing_foreign_is_loaded_and_markup_is_text(only, scene) -> None:
    only(a_check("tls", ("3.1.a",), broken('<img src="https://evil.example/x">', ids=["x"])))
    services.verify(scene=scene, asked_by="command")
    text = get()
    assert '<img src="https://evil' not in text
    assert "&lt;img src=&quot;https://evil" in text
    assert not re.findall(r'(?:src|srcset)="(?!/)', text)
    ElementTree.fromstring(get("/trust/en/changes.atom"))


def test_machines_get_every_clause_at_an_address_that_stays(looked) -> None:
    answer = browser().get("/trust/policy.json")
    assert answer["Access-Control-Allow-Origin"] == "*"
    document = answer.json()
    assert document["format"] == "headshotly-trust-1"
    assert [one["clause"] for one in document["clauses"]] == list(clauses())
    assert document["run"]["sha256"] == looked.sha256
    (tls,) = [one for one in document["clauses"] if one["clause"] == "3.1.a"]
    assert (tls["verdict"], tls["environment"], tls["known_by"]) == ("PASS", "emulated", ["measured"])
    assert tls["checks"][0]["evidence_sha256"] == Evidence.objects.get(check_name="tls").sha256


def entries(tongue: str = "en") -> list[str]:
    feed = ElementTree.fromstring(get(f"/trust/{tongue}/changes.atom"))
    assert feed.tag == f"{ATOM}feed"
    assert feed.find(f"{ATOM}id") is not None
    assert feed.find(f"{ATOM}updated") is not None
    ids = [one.find(f"{ATOM}id").text for one in feed.findall(f"{ATOM}entry")]
    assert len(ids) == len(set(ids))
    return [one.find(f"{ATOM}title").text for one in feed.findall(f"{ATOM}entry")]


def test_the_feed_tells_each_change_once_newest_first(looked, only, scene) -> None:
    assert set(entries()) == {"3.1.a: Not known → Holds", "1.3.a: Not known → Broken"}
    services.verify(scene=scene, asked_by="command")
    assert len(entries()) == 2, "seeing the same again is no change"
    only(a_check("tls", ("3.1.a",), broken("TLS 1.0 was accepted.", ids=["1.0"])), a_check("mapping", ("1.3.a",)))
    services.verify(scene=scene, asked_by="command")
    newest = set(entries()[:3])
    assert newest >= {"3.1.a: Holds → Broken", "1.3.a: Broken → Holds"}
    assert any(one.startswith("1.2.a-b") for one in entries()), "a clause that follows changes with the others"


def test_growing_old_is_a_change_too(looked, monkeypatch) -> None:
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + 2 * DAY)
    assert "3.1.a: Holds → Out of date" in entries()[:2]
    assert trust.overview().holding == 0


moments = st.integers(0, 60 * 24 * 20).map(
    lambda minutes: dt.datetime(2026, 11, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
)


def seen(at: dt.datetime, check: str, outcome: Outcome, expires: dt.timedelta | None) -> Seen:
    return Seen(
        check=check, outcome=outcome, sentence="So.", population=0 if outcome is Outcome.UNKNOWN else 1,
        broken=("x",) if outcome is Outcome.BROKEN else (), assurance=Assurance.MEASURED,
        environment=Environment.EMULATED, observed_at=at, expires_at=at + expires if expires else None,
    )  # fmt: skip


sights = st.builds(
    seen,
    moments,
    st.sampled_from(["tls", "mapping"]),
    st.sampled_from([Outcome.HELD, Outcome.BROKEN, Outcome.UNKNOWN, Outcome.ERROR]),
    st.sampled_from([None, dt.timedelta(hours=5)]),
)
excuses = st.builds(
    lambda at, days: Excuse(check="tls", ids=frozenset({"x"}), reason="r", from_=at, until=at + days * DAY),
    moments,
    st.integers(1, 5),
)


@given(st.lists(sights, max_size=8), st.lists(excuses, max_size=2), moments)
@settings(max_examples=60, deadline=None)
def test_changes_lead_from_what_was_to_what_is(rows, granted, asked) -> None:
    """Whatever was seen and excused: replaying the changes gives the verdict of any moment, computed by itself."""
    checks = {"tls": a_check("tls", ("3.1.a",)), "mapping": a_check("mapping", ("1.3.a",))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load", lambda: checks)
        since = dt.datetime(2026, 10, 31, tzinfo=dt.UTC)
        rows = sorted(rows, key=lambda one: one.observed_at)
        rows = list({(one.check, one.observed_at): one for one in rows}.values())
        found = changes.between(rows, {}, tuple(granted), since=since, now=asked)
        newest = {one.check: one for one in rows if one.observed_at <= asked}
        then = changes.judge_all(newest, granted, moment=asked)
        replayed = dict.fromkeys(clauses(), Verdict.UNKNOWN)
        for one in found:
            assert replayed[one.clause.id] is one.before
            replayed[one.clause.id] = one.after
        assert replayed == {clause_id: judged.verdict for clause_id, judged in then.items()}


def test_the_feed_judges_as_the_page_does(looked) -> None:
    newest = {name: selectors.seen_of(row) for name, row in selectors.newest_evidence().items()}
    judged = changes.judge_all(newest, selectors.excuses(at=clock.now()), moment=clock.now())
    assert judged == {name: one.judgement for name, one in selectors.states().items()}


def test_badges(looked) -> None:
    text = get("/trust/badge.svg")
    ElementTree.fromstring(text)
    assert "security policy (not production): 1 of 55 promises hold, 1 broken" in text
    assert browser().get("/trust/badge.svg")["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "policy 3.1.a (not production): holds" in get("/trust/badge/3.1.a.svg")
    assert "broken" in get("/trust/badge/1.3.a.svg")
    get("/trust/badge/9.9.svg", 404)


@pytest.mark.parametrize(
    ("counts", "colour"),
    [
        ({Verdict.PASS: 55}, "#1d6b45"),
        ({Verdict.PASS: 54, Verdict.FAIL: 1}, "#a3302a"),
        ({Verdict.PASS: 54, Verdict.ERROR: 1}, "#a3302a"),
        ({Verdict.PASS: 54, Verdict.ATTESTED: 1}, "#34597a"),
        ({Verdict.PASS: 50, Verdict.STALE: 5}, "#8a5a10"),
        ({Verdict.UNKNOWN: 55}, "#4f5b56"),
    ],
)
def test_only_all_of_it_is_green(counts, colour) -> None:
    assert colour in badge.of_policy(counts, total=55, production=True)


def test_words_in_a_badge_are_text() -> None:
    ElementTree.fromstring(badge.draw('<a b="c">', "&", tone="bad"))


def test_the_house_leads_there(db) -> None:
    assert 'href="/trust/"' in browser().get("/").content.decode()
    assert 'href="/trust/"' in browser().get("/policy/").content.decode()


def test_an_empty_house_says_that_nobody_looked(db) -> None:
    assert not CheckRun.objects.exists()
    assert "Nobody has looked yet." in get()
    assert entries() == []
    assert uuid4()
