"""Who a session's cookie stands for, looked up on every request of somebody signed in.

Django names this module in ``AUTHENTICATION_BACKENDS`` and asks ``get_user``.
"""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import ModelBackend
from django.db.models import UUIDField

from headshotly.accounts.models import Customer
from headshotly.policy.prepared import Prepared

BACKEND = "headshotly.accounts.knowing.Customers"
_CUSTOMER = Prepared(lambda one: Customer.objects.filter(id=one), one=UUIDField())


class Customers(ModelBackend):
    """Django's own backend, with its one look-up prepared."""

    def get_user(self, user_id: Any) -> Customer | None:
        """Return an account that may sign in, None where there is none.

        Args:
            user_id: as Django read it out of the session.
        """
        found = _CUSTOMER.one(one=user_id if isinstance(user_id, UUID) else UUID(str(user_id)))
        return found if found is not None and self.user_can_authenticate(found) else None
