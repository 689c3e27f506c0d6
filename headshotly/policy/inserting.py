"""Rows that come by the thousand: written in one statement, without an object of Django's for each of them.

Making a model's instance for every row and having Django compile the statement takes several times as long as the
database takes to keep them.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import DateTimeField, Field, Model, UUIDField

_ROWS_AT_ONCE = 500


class Insert:
    """What writes rows of one table."""

    def __init__(self, model: type[Model], *columns: str, ready: Sequence[str] = ()) -> None:
        """Take the table; nothing is asked of a database before the first row.

        Args:
            model: of the table. Its ``save`` and defaults are not asked: every column needs its value.
            columns: the fields written, by name, each with one column of its own.
            ready: those of them whose values are given as the database takes them, such as the text of some JSON.
        """
        self._model, self._columns, self._ready = model, columns, frozenset(ready)

    def write(self, rows: Sequence[Sequence[Any]], *, alias: str) -> None:
        """Write rows in the caller's transaction.

        Args:
            rows: for each row a value for every column, in their order.
            alias: of the connection.

        Raises:
            django.db.Error: the piece that the database refused is not written, nor is any after it.
        """
        for sql, values in self._statements(rows, alias=alias, returning=""):
            with connections[alias].cursor() as cursor:
                cursor.execute(sql, values)

    def write_numbered(self, rows: Sequence[Sequence[Any]], *, alias: str) -> list[Any]:
        """Write rows as ``write`` does, and return the primary key that the database gave each, in their order."""
        key: Any = self._model._meta.pk
        given: list[Any] = []
        for sql, values in self._statements(rows, alias=alias, returning=f" RETURNING {key.column}"):
            with connections[alias].cursor() as cursor:
                cursor.execute(sql, values)
                given.extend(number for (number,) in cursor.fetchall())
        return given

    def _statements(
        self, rows: Sequence[Sequence[Any]], *, alias: str, returning: str
    ) -> Iterator[tuple[str, list[Any]]]:
        connection: Any = connections[alias]
        by_name = {field.name: field for field in self._model._meta.concrete_fields}
        fields = [by_name[name] for name in self._columns]
        forms = [_as_it_is if field.name in self._ready else _form(field, connection) for field in fields]
        most = max(1, min(_ROWS_AT_ONCE, connection.ops.bulk_batch_size(fields, rows)))
        table = connection.ops.quote_name(self._model._meta.db_table)
        names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
        each = f"({', '.join(['%s'] * len(fields))})"
        for start in range(0, len(rows), most):
            piece = rows[start : start + most]
            places = ", ".join([each] * len(piece))
            sql = f"INSERT INTO {table} ({names}) VALUES {places}{returning}"  # noqa: S608 - names of ours # nosec B608
            yield sql, [form(value) for row in piece for form, value in zip(forms, row, strict=True)]


def _as_it_is(value: Any) -> Any:
    return value


def _form(field: Field[Any, Any], connection: Any) -> Callable[[Any], Any]:
    """Return what makes the database's value of Python's: Django's own way, cut short for values that need little."""

    def whole(value: Any) -> Any:
        return field.get_db_prep_save(value, connection)

    if isinstance(field, DateTimeField):
        moment = connection.ops.adapt_datetimefield_value
        return lambda value: moment(value) if value.__class__ is dt.datetime and value.tzinfo else whole(value)
    if isinstance(field, UUIDField):
        if connection.features.has_native_uuid_field:
            return lambda value: value if value.__class__ is UUID else whole(value)
        return lambda value: value.hex if value.__class__ is UUID else whole(value)
    kinds = _KINDS.get(field.get_internal_type(), ())
    return lambda value: value if value.__class__ in kinds else whole(value)


# Values of exactly these kinds are what the database takes for such a field.
_KINDS: dict[str, tuple[type, ...]] = {
    "CharField": (str,),
    "TextField": (str,),
    "SmallIntegerField": (int,),
    "BigIntegerField": (int,),
    "PositiveIntegerField": (int,),
    "PositiveSmallIntegerField": (int,),
}
