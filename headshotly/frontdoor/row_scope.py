"""Tells PostgreSQL whose rows a request may see, before its view runs (``database_roles``).

Option ``database.row_scope`` is ``yes`` where the web program signs in with a role of its own. Where it is forgotten,
the database shows that role nothing: the mistake is safe.
"""

from typing import Any

from django.db import connection

from headshotly.access import bearers
from headshotly.frontdoor.database_roles import EVERYBODY, SETTING
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces

# Public addresses at which another program speaks for no customer, and shows that it may.
_FOR_EVERYBODY = frozenset({"orders:webhook"})


def _rows_of(request: Any, needed: str) -> str:
    """Return whose rows an admitted request may see: an id, ``*``, or nobody's."""
    kind = needed.partition(":")[0]
    if kind in {"staff", "service"}:
        return EVERYBODY
    if kind == "token":
        return str(bearers.bearer_of(request).subject)
    match = request.resolver_match
    if match is not None and match.view_name in _FOR_EVERYBODY:
        return EVERYBODY
    return str(request.user.pk) if request.user.is_authenticated else ""


@enforces("2.4.a", "5.1.a")
def enter(request: Any, needed: str) -> None:
    """Put a request's scope in force on this thread's connection; called once the gate has let the request through.

    Every request sets its own, so that none sees what the one before it on the same connection might have seen.

    Args:
        request: with what the gate put into it.
        needed: permission of its view.
    """
    if configuration.current().options.get("database.row_scope") == "yes":
        see(_rows_of(request, needed))


def see(whose: str) -> None:
    """Put a scope in force until the next one.

    Args:
        whose: a customer's id, ``*`` for every row, or empty for none.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, false)", [SETTING, whose])
