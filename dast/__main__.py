"""``python -m dast``: scan the running service. Ends with 0: nothing found, 1: something found, 2: nothing is known."""

import datetime as dt
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dast import (
    acceptance,
    addresses,
    api,
    authority,
    callback,
    crawl,
    hooks,
    last,
    permitted,
    planted,
    results,
    seeding,
    serving,
    tls,
)
from dast.results import Found, Scan, ScanFailed
from dast.spares import Spares

_REPOSITORY = Path(__file__).resolve().parents[1]
TOOLS = _REPOSITORY / "build" / "dast" / "bin"
REPORTS = _REPOSITORY / "build" / "findings"
TABLE = _REPOSITORY / "docs" / "permissions.md"
# What would end what looks on, which is looked at last (``addresses.LAST``), and what the visitor looks at already.
_ENDS = (*addresses.patterns(addresses.LAST["customer"]), "/account/reset/*", "/account/confirm/*", "/account/sign-*",
         "/trust/*", "/documents/*", "/policy/*", "/privacy/*", "/language/*", "/static/*")  # fmt: skip
_STAFF_ENDS = ("/staff/sign-*", *addresses.patterns(set(addresses.LAST["staff"]) | set(addresses.LAST["visitor"])))
_STAFF_LEFT = frozenset({"/staff/prove/", "/staff/sign-in/"})
# Attacks on forms that keep something and on pages that show it again; the others fit no page of staff, or are of the
# host as a whole, which the other two crawls look at.
_STAFF_ATTACKS = "passive,csrf,permanentxss,redirect,sql,ssrf,xss"
_SPARES, _SPARE_OFFICERS = 30, 5  # accounts to be ended
_PASS, _FAIL, _ERROR = 0, 1, 2
type _Job = Callable[[], Scan]


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each part may take: in the gate, or until every attack is at its end."""

    visitor: crawl.Bounds
    staff: crawl.Bounds
    last: crawl.Bounds
    modules: str
    ending: str


_GATE = Effort(
    visitor=crawl.Bounds(crawl=25, attack=7, whole=240, tasks=8),
    staff=crawl.Bounds(crawl=15, attack=4, whole=150, tasks=8, sql="sql:post"),
    last=crawl.Bounds(crawl=8, attack=2, whole=120, tasks=8),
    modules=crawl.MODULES.replace("ldap,", ""),  # the service knows no directory; the long scan tries all the same
    ending="csrf,permanentxss,sql,ssrf,xss",
)
_LONG_SECONDS = 600.0


def effort(wanted: str) -> Effort:
    """Return how long each part may take.

    Args:
        wanted: empty for the gate; ``long``, or how many seconds each attack may take at most.

    Raises:
        ScanFailed: it is neither.
    """
    if not wanted:
        return _GATE
    try:
        attack = _LONG_SECONDS if wanted == "long" else float(wanted)
    except ValueError:
        raise ScanFailed(f"HEADSHOTLY_DAST is “long” or a number of seconds, and not “{wanted}”.") from None
    most = 30 * attack + 600

    def bounds(crawl_seconds: float, sql: str = "sql") -> crawl.Bounds:
        return crawl.Bounds(crawl=crawl_seconds, attack=attack, whole=most, tasks=8, sql=sql)

    return Effort(
        visitor=bounds(120),
        staff=bounds(120, "sql:post"),
        last=bounds(60),
        modules=crawl.MODULES,
        ending=crawl.MODULES.removeprefix("passive,"),
    )


def _together(jobs: Iterable[_Job]) -> list[Scan]:
    """Run scans side by side; they mostly wait for answers.

    Raises:
        ScanFailed: one of them failed.
    """
    with ThreadPoolExecutor(max_workers=4) as pool:
        return [each.result() for each in [pool.submit(job) for job in jobs]]


def _folder(scratch: Path, name: str) -> Path:
    made = scratch / name
    made.mkdir()
    return made


def _planted(scratch: Path, now: dt.datetime) -> None:
    """Let every tool look at a site full of flaws, one of which only who is signed in comes to.

    Raises:
        ScanFailed: a tool overlooked a flaw that is there.
    """
    certificate, key = authority.distrusted(scratch / "planted", now=now)
    bounds = crawl.Bounds(crawl=15, attack=5, whole=180)
    with (
        callback.listening() as listener,
        hooks.doors() as doors,
        planted.running(certificate, key, listener.url) as url,
    ):
        scans = _together(
            [
                lambda: crawl.scan(url, tools=TOOLS, scratch=_folder(scratch, "0w"), cookies=planted.SIGNED_IN,
                                   bounds=bounds, callback=listener.url),
                lambda: tls.scan(url, tools=TOOLS, scratch=_folder(scratch, "0t"), authority=None),
                lambda: api.scan(url, f"{url}/openapi.json", tools=TOOLS, scratch=_folder(scratch, "0a"), headers={},
                                 authority=None, examples=4),
            ]
        )  # fmt: skip
        scans[0] = _looked_at_again(scans[0], url, scratch, planted.SIGNED_IN)
        scans.append(hooks.planted(doors))
    for scan in scans:
        overlooked = planted.MUST_FIND[scan.tool] - {one.rule for one in scan.found}
        if overlooked:
            raise ScanFailed(f"{scan.tool} overlooked planted flaws: {', '.join(sorted(overlooked))}.")
        hidden = planted.MUST_FIND_AT.get(scan.tool, frozenset()) - {(one.rule, one.place) for one in scan.found}
        if hidden:
            raise ScanFailed(
                f"{scan.tool} overlooked a planted flaw at {', '.join(sorted(place for _, place in hidden))}."
            )
        print(f"   {scan.tool} found every planted flaw in {scan.seconds:.0f} s")


def _service(scratch: Path, now: dt.datetime, means: Effort, believed: Callable[[], None]) -> list[Scan]:
    """Scan the service: as a visitor, a customer, a program and staff, and in the end what ends these.

    Args:
        scratch: where everything lies.
        now: when certificates are made.
        means: how long each part may take.
        believed: returns once every tool found what was planted; until then nothing is scanned.

    Raises:
        ScanFailed: it did not start, or a scan did not come to the pages it must come to.
    """
    folder = _folder(scratch, "service")
    vouching = authority.vouched(folder / "data" / "tls", now=now)
    with callback.listening() as listener, serving.running(folder, vouching, hooks.ZONE) as service:
        customer, start = _of_a_customer(service)
        believed()
        checked = tls.scan(service.url, tools=TOOLS, scratch=_folder(scratch, "1t"), authority=vouching)
        # Before the crawl, which asks for every token there may be. Whose pages are crawled loses nothing by it.
        asked = _api(service, serving.sign_up(service), scratch)
        bounds, cookies = means.visitor, customer.cookies
        forms_only = replace(bounds, sql="sql:post")
        visited, used = _together(
            [
                lambda: crawl.scan(service.url, tools=TOOLS, scratch=_folder(scratch, "1w"), cookies={}, bounds=bounds,
                                   start=sorted(_opening("visitor")), callback=listener.url, modules=means.modules),
                lambda: crawl.scan(service.url, tools=TOOLS, scratch=_folder(scratch, "2w"), cookies=cookies,
                                   start=start, leave_alone=_ENDS, bounds=forms_only, callback=listener.url,
                                   modules=means.modules),
            ]
        )  # fmt: skip
        visited = _looked_at_again(visited, service.url, scratch, {})
        used = _looked_at_again(used, service.url, scratch, cookies, _ENDS)
        if not customer.is_signed_in:
            raise ScanFailed("The scan signed its customer out, so it is not known what it saw.")
        # Last and alone: what staff may do could change what the others see.
        worked, spares = _staff_while_spares_are_made(service, scratch, listener.url, means.staff)
        ended = _last(service, scratch, listener.url, spares, means)
        called = Scan("callback", "1", callback.read(listener))
    for scan, pages in ((visited, _opening("visitor")), (used, frozenset(start))):
        if pages - scan.covered:
            raise ScanFailed(f"wapiti did not come to {', '.join(sorted(pages - scan.covered))}.")
    every = [checked, visited, used, worked, asked, *ended, called]
    _say_what_was_not_seen(every)
    return every


def _opening(who: str) -> frozenset[str]:
    """Return the pages that open to a visitor or a customer; a scan that did not come to one saw something else."""
    opening = permitted.pages(TABLE.read_text(encoding="utf-8"), who=who, below="/")
    if who == "visitor":
        return opening
    return opening - _opening("visitor") - addresses.LAST["customer"].keys()


def _of_a_customer(service: serving.Service) -> tuple[serving.Browser, list[str]]:
    """Return a customer who has everything that there are pages about, and the pages at which a crawl begins.

    Raises:
        ScanFailed: something was refused to them.
    """
    one = Spares(service, customers=1, staff={}).take()
    customer = serving.Browser(service, "/account/settings/")
    customer.hold(one.cookies)
    has = seeding.seed(service, customer, one.token)
    shoot, endpoint = has.ids["job_id"][0], has.ids["webhook_id"][0]
    pages = {"/studio/", f"/studio/shoots/{shoot}/", f"/account/programs/webhooks/{endpoint}/"}
    return customer, sorted(_opening("customer") | pages)


def _staff_while_spares_are_made(
    service: serving.Service, scratch: Path, listener: str, bounds: crawl.Bounds
) -> tuple[Scan, Spares]:
    """Scan the pages of staff, and meanwhile make the accounts for the last look. Raises as both."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        staff = dict.fromkeys(last.OTHERS, 1) | {last.OFFICER: _SPARE_OFFICERS}
        spares = pool.submit(Spares, service, customers=_SPARES, staff=staff)
        return _staff(service, scratch, listener, bounds), spares.result()


def _last(service: serving.Service, scratch: Path, listener: str, spares: Spares, effort_of_it: Effort) -> list[Scan]:
    """Look at what ends accounts, sessions and, in the end, the service.

    Raises:
        ScanFailed: one of the scans failed, or ended nothing.
    """
    table, folder = TABLE.read_text(encoding="utf-8"), partial(_folder, scratch)
    means = last.Means(service, table, TOOLS, listener, folder, effort_of_it.last, effort_of_it.ending)
    return [*_together(last.scans(means, spares)), means.officer(spares)]


def _say_what_was_not_seen(scans: Sequence[Scan]) -> None:
    """Say which addresses no scan came to: of things that there were none of, or beyond the time that a crawl has.

    Raises:
        ScanFailed: one of them is a page about no thing, which was there to be come to.
    """
    table = TABLE.read_text(encoding="utf-8")
    covered = {path for scan in scans for path in scan.covered}
    covered |= {f"/api/v1{path}" for scan in scans if scan.tool == "schemathesis" for path in scan.covered}
    missed = addresses.unseen(table, covered)
    if pages := sorted(addresses.pages(table) & set(missed)):
        raise ScanFailed(f"No scan came to {', '.join(pages)}.")
    print(f"   {len(addresses.known(table))} addresses, {len(addresses.LEFT_OUT)} left out, {len(missed)} not come to:")
    for one in missed:
        print(f"      {one}")


def _staff(service: serving.Service, scratch: Path, listener: str, bounds: crawl.Bounds) -> Scan:
    """Scan the pages of staff as a member who showed a second factor.

    Raises:
        ScanFailed: a page that the member may open was not come to, or the session did not last.
    """
    member = serving.enter_staff(service, handle="scan", role=last.OFFICER)
    table = TABLE.read_text(encoding="utf-8")
    pages = {page for page in permitted.pages(table, who=last.OFFICER, below="/staff/") if page not in _STAFF_LEFT}
    scan = crawl.scan(
        f"{service.url}/staff", tools=TOOLS, scratch=_folder(scratch, "3w"), cookies=member.cookies,
        start=sorted(pages), leave_alone=_STAFF_ENDS, bounds=bounds, modules=_STAFF_ATTACKS, scope="folder",
        callback=listener,
    )  # fmt: skip
    scan = _looked_at_again(scan, service.url, scratch, member.cookies, _STAFF_ENDS)
    if not member.is_signed_in:
        raise ScanFailed("The scan signed its member of staff out, so it is not known what it saw.")
    if pages - scan.covered:
        raise ScanFailed(f"wapiti did not come to {', '.join(sorted(pages - scan.covered))}.")
    return scan


def _looked_at_again(
    scan: Scan, url: str, scratch: Path, cookies: Mapping[str, str], leave_alone: Sequence[str] = ()
) -> Scan:
    """Return a scan without what a second look at the place alone does not confirm; that becomes a note.

    Only what was concluded from pages differing is looked at again: a page differs for other reasons too (a name that
    is taken by now, a proof that ran out), and an injection that is there is there the second time.

    Raises:
        ScanFailed: the second look could not be taken.
    """

    def others(one: Found) -> list[str]:
        return sorted(scan.covered - {one.place, one.seen_from})

    doubtful = {(one.rule, one.place): one for one in scan.found if one.rule in crawl.BY_COMPARISON}
    looks = _together(
        [partial(_second_look, one, url, scratch, cookies, [*leave_alone, *others(one)]) for one in doubtful.values()]
    )
    notes, gone = list(scan.notes), set()
    for key, look in zip(doubtful, looks, strict=True):
        if key not in {(other.rule, other.place) for other in look.found}:
            gone.add(key)
            again = (
                "not when looked at again" if key[1] in look.covered else "is not there any more to be looked at again"
            )
            notes.append(f"“{key[0]}” at {key[1]} was seen once, and {again}.")
    return replace(scan, found=[one for one in scan.found if (one.rule, one.place) not in gone], notes=notes)


def _second_look(one: Found, url: str, scratch: Path, cookies: Mapping[str, str], leave_alone: Sequence[str]) -> Scan:
    """Scan one place alone, as it was come to: with the query it had, or from the page whose form leads there."""
    folder = Path(tempfile.mkdtemp(prefix="again-", dir=scratch))
    bounds = crawl.Bounds(crawl=10, attack=30, whole=90, tasks=1, depth=1)
    module = crawl.BY_COMPARISON[one.rule]
    if one.seen_from.partition("?")[0] in {"", one.place}:
        return crawl.scan(f"{url}{one.seen_from or one.place}", tools=TOOLS, scratch=folder, cookies=cookies,
                          bounds=bounds, modules=module, scope="page")  # fmt: skip
    return crawl.scan(f"{url}{one.seen_from}", tools=TOOLS, scratch=folder, cookies=cookies, bounds=bounds,
                      modules=module, leave_alone=leave_alone)  # fmt: skip


def _api(service: serving.Service, customer: serving.Browser, scratch: Path) -> Scan:
    """Scan the API as a customer's program with every scope, but for what deletes the account and so locks the rest.

    The customer has things, and the scanner is told their ids: it could not guess them, and would see only refusals.
    """
    token = serving.issue_token(service)
    began = time.monotonic()
    has = seeding.seed(service, customer, token)
    print(f"   the customer of the scan has photos, headshots, a copy and seats after {time.monotonic() - began:.0f} s")
    address, folder = f"{service.url}/api/v1", _folder(scratch, "1a")
    document = json.loads(customer.get("/api/v1/openapi.json").text)
    told = folder / "openapi.json"
    told.write_text(json.dumps(api.with_examples(document, ids=has.ids, bodies=has.bodies)), encoding="utf-8")
    return api.scan(address, str(told), tools=TOOLS, scratch=folder, authority=service.authority,
                    headers={"Authorization": f"Bearer {token}"}, examples=3, seconds=150,
                    choice=("--exclude-path", last.DELETION), objects=api.object_operations(document))  # fmt: skip


def _report(scans: list[Scan], now: dt.datetime) -> int:
    """Write the reports and print what they say; returns how many findings stand that nobody accepted."""
    open_findings = 0
    for tool in sorted({scan.tool for scan in scans}):
        its = [scan for scan in scans if scan.tool == tool]
        accepted = acceptance.in_force(tool, today=now.date())
        results.write(REPORTS / f"dast-{tool}.sarif", its, accepted=accepted, at=now)
        for scan in its:
            print(f"   {tool} {scan.version}: {len(scan.covered)} addresses in {scan.seconds:.0f} s")
            for note in scan.notes:
                print(f"      note: {note}")
        for found in {one.fingerprint: one for scan in its for one in scan.found}.values():
            stands = found.fingerprint not in accepted
            open_findings += stands
            print(
                f"      {'FOUND' if stands else 'accepted'} {found.level} {found.rule} at {found.place} {found.detail}"
            )
            print(f"         {found.words}")
    return open_findings


def main() -> int:
    """Scan, and return the exit code."""
    began, now = time.monotonic(), dt.datetime.now(dt.UTC)
    for old in REPORTS.glob("dast-*.sarif"):
        old.unlink()  # whoever reads them must not take yesterday's for today's
    with tempfile.TemporaryDirectory(prefix="headshotly-dast-") as name:
        scratch = Path(name)
        try:
            means = effort(os.environ.get("HEADSHOTLY_DAST", ""))
            with ThreadPoolExecutor(max_workers=1) as pool:  # while the service starts
                believed = pool.submit(_planted, scratch, now)
                scans = _service(scratch, now, means, believed.result)
            found = _report(scans, now)
        except ScanFailed as failure:
            print(f"ERROR: {failure}")
            return _ERROR
    print(f"{found} findings that nobody accepted, in {time.monotonic() - began:.0f} s")
    return _FAIL if found else _PASS


if __name__ == "__main__":
    sys.exit(main())
