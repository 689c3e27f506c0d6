"""Sessions in the database, listed by customer, with only the hash of the cookie's key kept.

Django names this module in ``SESSION_ENGINE`` and documents the methods overridden here.
"""

import datetime as dt
import hashlib
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import CharField, DateTimeField

from headshotly.policy import clock
from headshotly.policy.prepared import Prepared


def kept_key(session_key: str) -> str:
    """Return what the database holds for a session key: 160 bits of its SHA-256, in hex."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


_IN_FORCE: Prepared[Any] = Prepared(
    lambda key, moment: SessionStore.get_model_class().objects.filter(session_key=key, expire_date__gt=moment),
    key=CharField(),
    moment=DateTimeField(),
)


class SessionStore(DatabaseStore):
    """Keeps a hash where Django would keep the key: who reads the table cannot take over a session."""

    @classmethod
    def get_model_class(cls) -> Any:
        """Return the table of this store."""
        from headshotly.accounts.models import CustomerSession  # noqa: PLC0415 - Django loads this before models

        return CustomerSession

    def _get_session_from_db(self) -> Any:
        found = _IN_FORCE.one(key=kept_key(self.session_key or ""), moment=clock.now())
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        """Say whether a key is taken."""
        return bool(self.model.objects.filter(session_key=kept_key(session_key)).exists())

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """Return the row for the present state, with what its owner's list of sessions shows."""
        row: Any = super().create_model_instance(data)
        row.session_key = kept_key(row.session_key)
        row.expire_date = clock.now() + dt.timedelta(seconds=self.get_expiry_age())
        row.subject = UUID(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.device = data.get("device", "")
        row.started_at = dt.datetime.fromisoformat(data["started_at"]) if "started_at" in data else None
        return row

    def delete(self, session_key: str | None = None) -> None:
        """Delete a session; one that is not there is harmless."""
        key = session_key or self.session_key
        if key:
            self.model.objects.filter(session_key=kept_key(key)).delete()
