"""The customers of the suite, in another language."""

from tests.accounts.conftest import _quick, client, customer, db_all, signed_in  # noqa: F401 - fixtures
