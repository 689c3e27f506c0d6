"""No address without a permission, and no permission that is not enforced (clause 2.4.a)."""

from uuid import uuid4

import pytest
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from headshotly.access.errors import PermissionMissing
from headshotly.access.middleware import PermissionGate
from headshotly.policy.permission import permission, permission_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])


def views(resolver: URLResolver | None = None, prefix: str = "") -> list[tuple[str, object]]:
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            found.append((path, entry.callback))
        else:
            found += views(entry, path)
    return found


def address(path: str) -> str:
    for name in ("photo_id", "shoot_id", "headshot_id", "receipt_id"):
        path = path.replace(f"<uuid:{name}>", str(uuid4()))
    return "/" + path.replace("<str:token>", "no-such-token").replace("<slug:activity>", "headshot-generation")


@pytest.mark.clause("2.4.a")
def test_every_address_names_its_permission() -> None:
    assert len(views()) > 30
    assert [path for path, view in views() if permission_of(view) is None] == []


@pytest.mark.clause("2.4.a")
def test_every_closed_address_is_closed_to_visitors(client) -> None:
    tried = 0
    for path, view in views():
        if permission_of(view) == "public":
            continue
        tried += 1
        for method in (client.get, client.post):
            answer = method(address(path), secure=True)
            assert answer.status_code in {302, 403, 405}, path
            if answer.status_code == 302:
                assert "/sign-in/" in answer["Location"], path
    assert tried > 15


@pytest.mark.clause("2.4.a")
def test_a_customer_finds_nothing_of_others_and_nothing_of_staff(person, client) -> None:
    from headshotly.accounts.models import Customer

    client.force_login(Customer.objects.get())
    for path, view in views():
        if "<uuid:" in path and permission_of(view) == "customer":
            statuses = {client.get(address(path), secure=True).status_code}
            statuses.add(client.post(address(path), secure=True).status_code)
            assert statuses <= {404, 405}, path
        if str(permission_of(view)).startswith("staff"):
            assert client.get(address(path), secure=True).status_code in {302, 405}, path


def test_a_view_without_permission_is_refused() -> None:
    gate = PermissionGate(lambda _request: None)
    with pytest.raises(PermissionMissing):
        gate.process_view(RequestFactory().get("/"), lambda _request: None, (), {})


@pytest.mark.parametrize("name", ["", "admin", "staff:", "Customer"])
def test_a_permission_has_a_known_form(name: str) -> None:
    with pytest.raises(ValueError, match="no permission"):
        permission(name)
