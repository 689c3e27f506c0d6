"""Every address names its permission, and every kind of visitor gets exactly what the table says (clause 2.4.a)."""

import re
import uuid
from pathlib import Path

import pytest
from django.core.exceptions import ViewDoesNotExist
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from headshotly.access import machines, rights
from headshotly.access.bearers import SCOPES
from headshotly.access.models import Role
from headshotly.audit.actor import Actor
from headshotly.integrations import tokens as programs
from headshotly.policy.permission import permission, permission_of
from tests.access.conftest import at_desk, browser, make_member
from tests.accounts.conftest import EMAIL
from tests.accounts.conftest import PASSWORD as CUSTOMER_PASSWORD

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("2.4.a")]
TABLE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
_PARAMETER = re.compile(r"<(?:(\w+):)?\w+>")
_EXAMPLE = {
    "uuid": str(uuid.UUID(int=7)),
    "uuidstr": str(uuid.UUID(int=7)),
    "str": "x",
    "slug": "x",
    "int": "7",
    "path": "x",
    None: "x",
}


def addresses(resolver=None, prefix: str = "/"):
    """Yield every address of the site with its view."""
    for one in (resolver or get_resolver()).url_patterns:
        where = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from addresses(one, where)
        else:
            assert isinstance(one, URLPattern)
            yield where, one.callback


def test_every_address_names_its_permission():
    found = dict(addresses())
    assert len(found) > 60, "the walk found too little to mean anything"
    assert [where for where, view in found.items() if permission_of(view) is None] == []


def test_every_right_that_a_view_asks_for_exists_and_every_right_is_asked_for():
    asked = {permission_of(view) for _, view in addresses()}
    staff = {name.partition(":")[2] for name in asked if name.startswith("staff:")}
    assert staff <= set(rights.RIGHTS)
    assert set(rights.RIGHTS) - staff == {"grants.read"}, "grants.read decides inside the page of grants"
    assert {name.partition(":")[2] for name in asked if name.startswith("service:")} == rights.MACHINE_RIGHTS


def commands(command=None, path=()):
    """Yield every command of the program that does something, with the permission it runs under."""
    from headshotly.frontdoor.commandline import COMMANDS, Commands

    if command is None:
        for name in COMMANDS:
            yield from commands(Commands().get_command(None, name), (name,))
        return
    if command.callback is not None and getattr(command, "invoke_without_command", True):
        yield " ".join(path), command
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, (*path, name))


def test_every_command_names_its_permission_and_is_guarded():
    found = dict(commands())
    assert len(found) > 25, "the walk found too little to mean anything"
    assert {name for name, command in found.items() if not hasattr(command.callback, "guarded")} == set()
    assert {command.callback.needed for command in found.values()} == {"public", "operator"}


def test_a_command_without_a_permission_and_one_of_another_account_are_refused(monkeypatch, tmp_path):
    import os

    from headshotly.frontdoor.commandline import require
    from headshotly.policy.refusal import Refusal

    with pytest.raises(Refusal, match="names no permission"):
        require(None)
    with pytest.raises(Refusal, match="names no permission"):
        require("customer")
    require("operator")
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(Refusal, match="Only the account that owns the data folder"):
        require("operator")
    require("public")


def tasks():
    """Yield every task the worker may do."""
    import importlib

    from django.tasks import Task

    from headshotly.frontdoor.settings import ROOMS

    for room in ROOMS:
        if importlib.util.find_spec(f"headshotly.{room}.tasks") is not None:
            for thing in vars(importlib.import_module(f"headshotly.{room}.tasks")).values():
                if isinstance(thing, Task):
                    yield thing


def test_every_task_and_every_duty_names_its_permission():
    from headshotly.policy.duties import declared

    assert [task.module_path for task in tasks() if permission_of(task.func) != "service:worker"] == []
    assert list(tasks())
    assert [duty.name for duty in declared() if permission_of(duty.run) != "service:duties"] == []
    assert declared()


def test_a_worker_refuses_a_task_without_a_permission():
    from types import SimpleNamespace

    from headshotly.frontdoor.worker import _require_permission
    from headshotly.policy.refusal import Refusal

    with pytest.raises(Refusal, match="names no permission"):
        _require_permission(SimpleNamespace(func=lambda: None))


@pytest.mark.parametrize("name", ["", "everybody", "staff:", "service:", "customer:x", "Public"])
def test_a_permission_that_does_not_exist_cannot_be_written_down(name):
    with pytest.raises(ValueError, match="is no permission"):
        permission(name)


def test_a_view_without_a_permission_is_refused_to_everybody():
    from headshotly.access.errors import PermissionMissing
    from headshotly.access.middleware import PermissionGate

    gate, request = PermissionGate(lambda _request: None), RequestFactory().get("/")
    with pytest.raises(PermissionMissing):
        gate.decide(request, None)
    assert gate.process_view(request, lambda _request: None, (), {}).status_code == 403


def test_auditors_and_finance_cannot_write():
    writes = {
        "grants.ask",
        "grants.decide",
        "glass.break",
        "glass.review",
        "people.write",
        "rights.review",
        "machines.write",
        "vendors.write",
        "vendors.decide",
    }
    assert not rights.of_role(Role.AUDITOR) & writes
    assert rights.of_role(Role.FINANCE) == {"orders.read", "orders.refund"}, "finance sees money, never faces"
    assert all(rights.of_role(role) != frozenset(rights.RIGHTS) for role in Role.values), "no role has everything"


def _example(where: str) -> str:
    return _PARAMETER.sub(lambda found: _EXAMPLE[found[1]], where)


def _status(client, where: str) -> int:
    try:
        return client.get(where).status_code
    except ViewDoesNotExist:
        return 500


@pytest.fixture
def visitors(customer):
    guest, owner = browser(), browser()
    assert owner.post("/account/sign-in/", {"email": EMAIL, "password": CUSTOMER_PASSWORD}).status_code == 302
    found = {"visitor": guest, "customer": owner}
    for role in Role.values:
        found[role] = at_desk(make_member(role))
    account = machines.create(member=make_member("operations", "maker"), name="robot")
    token = machines.issue(
        member=make_member("operations", "issuer"), account_id=account.id, rights=sorted(rights.MACHINE_RIGHTS), days=1
    )
    found["service"] = browser(HTTP_AUTHORIZATION=f"Bearer {token}")
    shown = programs.issue(
        actor=Actor(kind="customer", id=customer.id), subject=customer.id, name="script", scopes=sorted(SCOPES), days=1
    )
    found["program"] = browser(HTTP_AUTHORIZATION=f"Bearer {shown}")
    return found


def test_the_table_of_addresses_roles_and_statuses_is_as_written_down(visitors):
    """GET of every address as every kind of visitor. Regenerate with ``HEADSHOTLY_WRITE_TABLES=1`` and read the diff."""
    lines = [
        "# Who gets what: every address, every kind of visitor",
        "",
        "Made and compared by `tests/access/test_permissions.py`: the status of a GET with made-up ids.",
        "302 leads to a sign-in page or onward, 404 hides what is somebody else's, 405 is an address that only takes forms.",
        "",
        "| address | permission | " + " | ".join(visitors) + " |",
        "|---|---|" + "---|" * len(visitors),
    ]
    for where, view in sorted(addresses()):
        if "sign-out" in where:
            continue  # takes the session with it; has tests of its own
        statuses = [str(_status(client, _example(where))) for client in visitors.values()]
        shown = where.replace("<", "‹").replace(">", "›")
        lines.append(f"| `{shown}` | {permission_of(view)} | " + " | ".join(statuses) + " |")
    lines += ["", "## Commands, tasks and duties", "", "`operator` is the account that owns the data folder.", ""]
    lines += ["| what | permission |", "|---|---|"]
    lines += [f"| `headshotly {name}` | {command.callback.needed} |" for name, command in sorted(commands())]
    lines += [f"| task `{task.module_path}` | {permission_of(task.func)} |" for task in tasks()]
    from headshotly.policy.duties import declared

    lines += [f"| duty `{duty.name}` | {permission_of(duty.run)} |" for duty in declared()]
    made = "\n".join(lines) + "\n"
    import os

    if os.environ.get("HEADSHOTLY_WRITE_TABLES"):
        TABLE.write_text(made, encoding="utf-8")
    assert made == TABLE.read_text(encoding="utf-8")


def test_nobody_reaches_what_their_kind_may_not(visitors):
    """The same walk, judged by rule instead of by table."""
    for where, view in addresses():
        needed = permission_of(view)
        if "sign-out" in where:
            continue
        for kind, client in visitors.items():
            method = client.post if _status(client, _example(where)) == 405 else client.get
            status = method(_example(where)).status_code
            allowed = {
                "public": True,
                "customer": kind == "customer",
                "token": kind == "program",
                "staff": kind in Role.values,
            }.get(needed)
            if allowed is None:
                family, _, right = needed.partition(":")
                allowed = kind == "service" if family == "service" else right in rights.of_role(kind)
            if not allowed:
                assert status in {302, 401, 403}, (where, kind, status)
                if status == 302:
                    assert "sign-in" in method(_example(where)).url, (where, kind)
