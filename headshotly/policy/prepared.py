"""Look-ups that every request makes: Django writes their SQL once a process, and afterwards only the values change.

Making a queryset and compiling it takes Django longer than the database takes to answer by primary key, several times
over. Nothing of an answer is kept: each call asks the database, on this thread's own connection, in its transaction.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db import connections
from django.db.models import CharField, DateTimeField, Field, Model, QuerySet, UUIDField
from django.db.models.sql.compiler import SQLCompiler

_EPOCH = dt.datetime(1971, 1, 1, tzinfo=dt.UTC)
type _Change = Callable[[Any, Any, Any], Any]


class NotPreparable(Exception):
    """A query whose values cannot be told from what always stands in it, or whose rows are no plain rows of a table."""


def _stand_in(kind: Field[Any, Any]) -> Any:
    """Return a value that nothing else in a query has."""
    match kind:
        case UUIDField():
            return uuid4()
        case DateTimeField():
            return _EPOCH + dt.timedelta(microseconds=secrets.randbelow(10**15))
        case CharField():
            return secrets.token_hex(16)
        case _:
            raise NotPreparable(f"no value of the kind {type(kind).__name__} can be told from others")


@dataclass(frozen=True, slots=True)
class _Written:
    """A query as its database takes it.

    Attributes:
        alias: of the database.
        sql: with ``%s`` where a value goes.
        values: for each of them the name of an argument, or an empty name and what always stands there.
        columns: the fields of a row, in its order.
        changes: place in a row, what makes Python's value of the database's, and the column for it.
    """

    alias: str
    sql: str
    values: tuple[tuple[str, Any], ...]
    columns: tuple[str, ...]
    changes: tuple[tuple[int, tuple[_Change, ...], Any], ...]


def _write(query: QuerySet[Any], stand_ins: dict[str, Any]) -> _Written:
    """Return a query in which stand-ins are, already in the database's own form, as what may be asked again."""
    connection: Any = connections[query.db]
    compiler: SQLCompiler = query.query.get_compiler(using=query.db)
    sql, given = compiler.as_sql()
    values = []
    for value in given:
        named = [name for name, stand_in in stand_ins.items() if stand_in == value]
        values.append((named[0], None) if named else ("", value))
    if {name for name, _ in values if name} != set(stand_ins):
        raise NotPreparable("an argument does not stand in the query as it was given")
    told = compiler.klass_info
    if told is None or told.get("related_klass_infos") or compiler.annotation_col_map:
        raise NotPreparable("the rows are not those of one table alone")
    selected: Any = compiler.select
    columns = tuple(selected[place][0].target.attname for place in told["select_fields"])
    changes = []
    for place, (column, _, _) in enumerate(selected):
        needed = (*connection.ops.get_db_converters(column), *column.get_db_converters(connection))
        if needed:
            changes.append((place, needed, column))
    return _Written(query.db, sql, tuple(values), columns, tuple(changes))


class Prepared[Row: Model]:
    """A query that is made once and asked often."""

    def __init__(self, make: Callable[..., QuerySet[Row]], **kinds: Field[Any, Any]) -> None:
        """Take what makes the query; nothing is made before it is first asked.

        Args:
            make: returns the query for its arguments; whole rows of one table, and few of them.
            kinds: of each argument, as a field of the kind that it is compared with.
        """
        self._make, self._kinds = make, kinds
        self._ready: tuple[type[Row], _Written] | None = None

    def one(self, **values: Any) -> Row | None:
        """Return the first row, None where there is none.

        Args:
            values: for each argument.

        Raises:
            NotPreparable: see there.
            django.db.Error: the database did not answer.
        """
        return next(iter(self.all(**values)), None)

    def all(self, **values: Any) -> list[Row]:
        """Return every row; arguments and errors as ``one``."""
        model, written = self._ready or self._prepare()
        connection: Any = connections[written.alias]
        given = self._in_its_form(connection, values)
        with connection.cursor() as cursor:
            cursor.execute(written.sql, [given[name] if name else constant for name, constant in written.values])
            rows = cursor.fetchall()
        return [_row(model, written, row, connection) for row in rows]

    def _in_its_form(self, connection: Any, values: dict[str, Any]) -> dict[str, Any]:
        return {name: kind.get_db_prep_value(values[name], connection) for name, kind in self._kinds.items()}

    def _prepare(self) -> tuple[type[Row], _Written]:
        """Write the query. Of two threads that come at once both do, and it is the same."""
        stand_ins = {name: _stand_in(kind) for name, kind in self._kinds.items()}
        query = self._make(**stand_ins)
        self._ready = (query.model, _write(query, self._in_its_form(connections[query.db], stand_ins)))
        return self._ready


def _row[Row: Model](model: type[Row], written: _Written, found: Sequence[Any], connection: Any) -> Row:
    values = list(found)
    for place, changes, column in written.changes:
        for change in changes:
            values[place] = change(values[place], column, connection)
    return model.from_db(written.alias, written.columns, values)
