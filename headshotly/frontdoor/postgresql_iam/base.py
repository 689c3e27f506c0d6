"""PostgreSQL on RDS and Aurora: each connection signs in with a password made for it, good for a quarter of an hour.

Nothing is kept: no password stands in a file, a variable or a secret store. AWS, “IAM database authentication”.
"""

from typing import Any

from django.db.backends.postgresql import base

from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces

_PORT = 5432


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for the password."""

    @enforces("2.4.a", "2.4.c")
    def get_connection_params(self) -> dict[str, Any]:
        """Return what the driver needs; asked for anew before every connection.

        Raises:
            ValueError: the option ``database.region`` names no region of the European Union.
        """
        from headshotly.vendors import aws  # noqa: PLC0415 - boto3 is slow to import, and only needed here

        found: dict[str, Any] = super().get_connection_params()
        options = configuration.current().options
        found["password"] = aws.database_password(
            host=str(found["host"]),
            port=int(found.get("port") or _PORT),
            user=str(found["user"]),
            region=options.get("database.region", "eu-central-1"),
        )
        return found
