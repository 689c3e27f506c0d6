"""The last look: at what ends accounts, sessions and service, by accounts made for it, when all else was looked at."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from itertools import count
from pathlib import Path
from types import MappingProxyType

import httpx

from dast import addresses, api, crawl, door, hooks, serving
from dast.door import Account
from dast.results import Scan, ScanFailed
from dast.serving import Browser, Service
from dast.spares import CONSENT, Spares

OFFICER = "security-officer"
# What else opens something that is the officer's not; each looks at that alone.
OTHERS = ("dpo", "operations", "finance", "developer")
DELETION = "/account/deletion"
_CASE = re.compile(r'href="(/staff/incidents/cases/\d+/)"')
_NUMBERS, _NOBODY = count(), MappingProxyType[str, str]({})
_CONSENT = f"/consent/{CONSENT}/"


def _hooks(service: Service, spares: Spares) -> Scan:
    one = spares.take()
    customer = Browser(service, "/account/settings/")
    customer.hold(one.cookies)
    return hooks.scan(service, customer, one.token)


@dataclass(frozen=True, slots=True)
class Means:
    """What a scan of the last look works with.

    Attributes:
        service: that runs, and may be broken from here on.
        table: text of docs/permissions.md.
        tools: folder of the programs.
        listener: address that attacks name.
        folder: makes a scratch folder of this name.
        bounds: of each scan.
        attacks: kinds of attack.
    """

    service: Service
    table: str
    tools: Path
    listener: str
    folder: Callable[[str], Path]
    bounds: crawl.Bounds
    attacks: str

    def _crawl(
        self,
        url: str,
        *,
        start: Sequence[str],
        wanted: frozenset[str],
        attacks: str,
        cookies: Mapping[str, str] = _NOBODY,
    ) -> Scan:
        """Crawl no further than the forms of some pages, and among these only what is wanted."""
        others = addresses.patterns(addresses.known(self.table) - wanted, but=[*start])

        def once(modules: str) -> Scan:
            return crawl.scan(
                url, tools=self.tools, scratch=self.folder(f"last-{next(_NUMBERS)}"), cookies=cookies, start=start,
                leave_alone=others, bounds=replace(self.bounds, depth=1), modules=modules, callback=self.listener,
            )  # fmt: skip

        scan = once(attacks)
        doubtful = [one for one in scan.found if one.rule in crawl.BY_COMPARISON]
        if doubtful:  # an injection that is there is there the second time
            again = {(one.rule, one.place) for one in once(",".join(set(crawl.BY_COMPARISON.values()))).found}
            gone = [one for one in doubtful if (one.rule, one.place) not in again]
            scan.found = [one for one in scan.found if one not in gone]
            scan.notes += [f"“{one.rule}” at {one.place} was seen once, and not when looked at again." for one in gone]
        return scan

    def deletion(self, spares: Spares) -> Scan:
        """Delete accounts through the API, in every way that schemathesis knows."""
        with door.opened(self.service, partial(_spare, spares)) as opened:
            here = f"{opened.url}/api/v1"
            scan = api.scan(
                here, f"{here}/openapi.json", tools=self.tools, scratch=self.folder("last-api"), authority=None,
                headers={"Authorization": f"Bearer {door.MARK}"}, examples=3, seconds=120,
                choice=("--include-path", DELETION),
            )  # fmt: skip
        return _through(opened, scan, by="deleting through the API")

    def customer(self, spares: Spares) -> Scan:
        """Attack the pages on which a customer ends something; one planned to leave, which can be called off."""
        start = ["/your-data/delete/", "/studio/delete-everything/", "/account/protection/", "/your-data/", _CONSENT]
        with door.opened(self.service, partial(_spare, spares)) as opened:
            with httpx.Client(base_url=opened.url, timeout=30) as client:
                headers = {"Authorization": f"Bearer {door.MARK}"}
                planned = client.post(
                    f"/api/v1{DELETION}", json={"confirm": "delete everything", "days": 7}, headers=headers
                )
            if planned.status_code != HTTPStatus.ACCEPTED:
                raise ScanFailed(f"A customer of the scan could not plan to leave: {planned.status_code}.")
            scan = self._crawl(opened.url, start=start, wanted=addresses.last("customer"), attacks=self.attacks)
        _require_seen(scan, start)
        return _through(opened, scan, by="customers")

    def links(self, spares: Spares) -> Scan:
        """Attack the pages that a mailed link opens: to confirm an address, to choose a new password, to enrol."""
        reset, confirm = (f"/account/{what}/{spares.links[what]}/" for what in ("reset", "confirm"))
        enrol = serving.invite(self.service, handle="invited", role=OFFICER)
        start = [reset, confirm, enrol]
        scan = self._crawl(self.service.url, start=start, wanted=addresses.last("visitor"), attacks=self.attacks)
        _require_seen(scan, start)
        return scan

    def other(self, role: str, spares: Spares) -> Scan:
        """Attack what opens to a role of staff and not to the officer."""
        start, wanted = addresses.beyond(self.table, who=role, but=OFFICER)
        member = Browser(self.service, "/staff/")
        member.hold(spares.member(role))
        scan = self._crawl(self.service.url, start=start, wanted=wanted, attacks=self.attacks, cookies=member.cookies)
        if not member.is_signed_in:
            raise ScanFailed(f"The scan signed its {role} out, so it is not known what it saw.")
        _require_seen(scan, start)
        return scan

    def officer(self, spares: Spares) -> Scan:
        """Attack what stops something: members, customers' sessions, and every measure of containment."""

        def following() -> Account:
            return Account(spares.member(OFFICER))

        with door.opened(self.service, following) as opened, httpx.Client(base_url=opened.url, timeout=30) as client:
            case = _CASE.search(client.get("/staff/incidents/").text)
            if case is None:
                raise ScanFailed("No case is open that something could be contained for.")
            start = ["/staff/people/", f"/staff/customers/{spares.take().subject}/", case[1], "/staff/prove/",
                     "/staff/watch/events/1/"]  # fmt: skip
            scan = self._crawl(opened.url, start=start, wanted=addresses.last("staff"), attacks=self.attacks)
            stopped = client.get("/staff/incidents/").text.count("/undo/")
        _require_seen(scan, start)
        if not stopped:
            raise ScanFailed("Nothing was contained, so it is not known how containing is.")
        scan.notes.append(f"{stopped} measures of containment were in force at the end.")
        return _through(opened, scan, by="staff")


def scans(means: Means, spares: Spares) -> list[Callable[[], Scan]]:
    """Return the scans that make up the last look, but for the officer's; they can run side by side."""
    return [
        partial(_hooks, means.service, spares),
        partial(means.deletion, spares),
        partial(means.customer, spares),
        partial(means.links, spares),
        *(partial(means.other, role, spares) for role in OTHERS),
    ]


def _spare(spares: Spares) -> Account:
    one = spares.take()
    return Account(one.cookies, one.token)


def _require_seen(scan: Scan, pages: Sequence[str]) -> None:
    if unseen := sorted(set(pages) - scan.covered):
        raise ScanFailed(f"wapiti did not come to {', '.join(unseen)}.")


def _through(opened: door.Door, scan: Scan, *, by: str) -> Scan:
    """Return a scan that says how much it ended; one that ended nothing has not seen what ending does.

    Raises:
        ScanFailed: nothing was ended.
    """
    if not opened.ended:
        raise ScanFailed(f"Nothing was ended by {by}, so it is not known how ending is.")
    scan.notes.append(f"Ended by {by}: {opened.ended} accounts or sessions.")
    return scan
