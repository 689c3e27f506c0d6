"""Which scan looks at which address of the service: the one place where one is left out, with its reason.

The addresses are those of docs/permissions.md, which a test compares with the service itself; another test compares
this list with them.
``<…>`` stands for the id of an object.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from dast.results import ScanFailed

_OPENS = "200"
_SHUT = frozenset({"302", "403"})
_AN_OBJECT = re.compile(r"<[^>]+>")
_A_UUID = re.compile(r"<uuid(?:str)?:\w+>")  # has a hyphen, unlike a page beside it
# The table shows the brackets of Django's patterns as others, so that no renderer takes them for tags.
_BRACKETS = str.maketrans({"\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}": "<",
                           "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}": ">"})  # fmt: skip

_BY_SCRIPT = (
    "WebAuthn, spoken by a script, which wapiti does not run; hostile answers are in tests/accounts, tests/access"
)
# Nobody looks at these. Everything else is looked at: by whom, ``scans_of`` says.
LEFT_OUT: Mapping[str, str] = {
    "/api/events/": "for machines with a token of their own; events of every shape are thrown at it in tests/incidents",
    "/api/metrics/": "for machines with a token of their own; it takes nothing",
    "/staff/api/journal/": "for machines with a token of their own; it takes a number, tested in tests/audit",
    "/staff/api/self/": "for machines with a token of their own; it takes nothing",
    "/account/protection/passkeys/": _BY_SCRIPT, "/account/protection/passkeys/options/": _BY_SCRIPT,
    "/account/prove/options/": _BY_SCRIPT, "/account/sign-in/passkey/": _BY_SCRIPT,
    "/account/sign-in/passkey/options/": _BY_SCRIPT, "/account/sign-in/second/options/": _BY_SCRIPT,
    "/staff/passkeys/": _BY_SCRIPT, "/staff/passkeys/options/": _BY_SCRIPT, "/staff/prove/options/": _BY_SCRIPT,
    "/staff/sign-in/options/": _BY_SCRIPT, "/staff/enrol/<str:token>/options/": _BY_SCRIPT,
    "/orders/stripe/webhook/": "takes only what Stripe signed; forged messages of every kind are in tests/orders",
    "/account/address/<str:token>/": "opens only by a link mailed after the old address was proved; tests/accounts",
}  # fmt: skip

# What ends accounts, sessions or the service is looked at last, by accounts made for it. Who it is for → address → why.
LAST: Mapping[str, Mapping[str, str]] = {
    "customer": {
        "/account/sign-out/": "ends the session",
        "/account/sessions/end/": "ends sessions",
        "/consent/<slug:activity>/withdraw/": "takes the legal basis away, so that nothing can be made any more",
        "/your-data/delete/": "deletes pictures, or everything",
        "/your-data/delete/cancel/": "belongs to it",
        "/studio/delete-everything/": "deletes the account",
    },
    "program": {"/api/v1/account/deletion": "deletes the account, and the token with it"},
    "visitor": {
        "/account/confirm/<str:token>/": "works once, by a mailed link",
        "/account/reset/<str:token>/": "changes the password and ends every session",
        "/staff/enrol/<str:token>/": "works once, by a link",
        "/staff/enrol/<str:token>/code.svg": "belongs to it",
    },
    "staff": {
        "/staff/sign-out/": "ends the session",
        "/staff/prove/": "wrong answers lock the member out",
        "/staff/people/<uuid:member_id>/": "closes members and takes their second factor",
        "/staff/customers/<uuid:subject>/end-sessions/": "ends a customer's sessions",
        "/staff/incidents/cases/<int:number>/contain/": "stops customers, members, keys, vendors, or everything",
        "/staff/watch/events/<int:event_id>/": "one event, of hundreds alike that the scan makes",
    },
}
# Pages on which their forms stand.
_STAND_ON = frozenset({"/account/protection/", "/your-data/", "/consent/<slug:activity>/", "/staff/people/",
                       "/staff/customers/<uuid:subject>/", "/staff/incidents/cases/<int:number>/"})  # fmt: skip
# Not in the table, which would lose its session by it.
_SIGN_OUT = frozenset({"/account/sign-out/", "/staff/sign-out/"})


def _rows(table: str) -> list[list[str]]:
    lines = table.partition("\n## ")[0].translate(_BRACKETS).splitlines()
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.startswith("|")]


def known(table: str) -> frozenset[str]:
    """Return every address of the service.

    Args:
        table: the text of docs/permissions.md.

    Raises:
        ScanFailed: it holds none.
    """
    found = frozenset(row[0].strip("`") for row in _rows(table) if row[0].startswith("`/"))
    if not found:
        raise ScanFailed("The table of permissions names no address.")
    return found | _SIGN_OUT


def last(who: str) -> frozenset[str]:
    """Return what is looked at last as ``customer``, ``visitor``, ``program`` or ``staff``, with its pages."""
    pages = {one for one in _STAND_ON if one.startswith("/staff/") == (who == "staff")}
    return frozenset(LAST[who]) | (frozenset() if who == "visitor" else pages)


def patterns(addresses: Collection[str], *, but: Sequence[str] = ()) -> list[str]:
    """Return addresses as wapiti's patterns, but for those that would shut out one of some paths."""
    made = sorted({_AN_OBJECT.sub("*", _A_UUID.sub("*-*", one)) for one in addresses})
    return [one for one in made if not any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), path) for path in but)]


def beyond(table: str, *, who: str, but: str) -> tuple[list[str], frozenset[str]]:
    """Return what opens to one kind of staff and not to another.

    Returns:
        The pages without an object on which the forms of these stand, and all of the addresses with these pages.

    Raises:
        ScanFailed: there is no such column, or nothing of the kind.
    """
    rows = _rows(table)
    if not rows or not {who, but} <= set(rows[0]):
        raise ScanFailed(f"The table of permissions has no column “{who}” or no column “{but}”.")
    mine, others = rows[0].index(who), rows[0].index(but)
    staff = [row for row in rows[1:] if row[0].startswith("`/staff/") and len(row) > max(mine, others)]
    more = {row[0].strip("`") for row in staff if row[others] in _SHUT and row[mine] not in _SHUT}
    pages = {row[0].strip("`") for row in staff if row[mine] == _OPENS and not _AN_OBJECT.search(row[0])} - {"/staff/"}
    start = sorted(page for page in pages if any(one.startswith(page) for one in more))
    return start, frozenset(more) | frozenset(start)


def pages(table: str) -> frozenset[str]:
    """Return the addresses about no object that open to somebody, and that are not left out."""
    people = [at for at, name in enumerate(_rows(table)[0]) if at > 1 and name not in {"service", "program"}]
    found = {
        row[0].strip("`") for row in _rows(table)[1:]
        if row[0].startswith("`/") and not _AN_OBJECT.search(row[0]) and any(row[at] == _OPENS for at in people)
    }  # fmt: skip
    return frozenset(found) - LEFT_OUT.keys()


def scans_of(address: str, permission: str) -> str:
    """Return which scan looks at an address; empty where none does.

    Args:
        address: as in the table.
        permission: as there: ``public``, ``customer``, ``token``, ``staff``, ``staff:…`` or ``service:…``.
    """
    if address in LEFT_OUT:
        return ""
    if any(address in group for group in LAST.values()):
        return "last"
    kind = permission.partition(":")[0]
    return {"public": "visitor", "customer": "customer", "token": "program", "staff": "staff"}.get(kind, "")


def unseen(table: str, covered: Collection[str]) -> list[str]:
    """Return the addresses that no scan asked for, of those that are not left out.

    Args:
        table: the text of docs/permissions.md.
        covered: paths that were asked, of the API as its document names them.
    """
    left = known(table) - LEFT_OUT.keys()
    return sorted(
        one for one in left
        if not any(re.fullmatch(".+?".join(map(re.escape, _AN_OBJECT.split(one))), path) for path in covered)
    )  # fmt: skip
