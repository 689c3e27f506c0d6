"""The destruction ledger: ids of objects destroyed one by one, outside the database, so that no backup revives them.

It is read where something is restored or mirrored, or a destruction is finished that was cut short, and forgets a day
once no backup is as old.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from uuid import UUID

from headshotly.policy.enforcement import enforces
from headshotly.vault import durable

_REVIVED = "revived"
_SUFFIX = ".txt"


class DestructionLedger:
    """Append-only text files, one a day in each copy: ``id time``, or ``id time revived`` where a restore wanted it so.

    Whichever copy has a line, it counts.
    """

    def __init__(self, *folders: Path) -> None:
        """Take the copies.

        Raises:
            ValueError: no folder is given.
        """
        if not folders:
            raise ValueError("a ledger needs at least one folder")
        self._folders = folders

    @enforces("1.2.c")
    def note(self, destroyed: Mapping[UUID, dt.datetime]) -> None:
        """Append objects durably to every copy; noting one twice is harmless.

        A crash in between leaves some copies with a line, which is enough to count.

        Args:
            destroyed: id → when, aware.

        Raises:
            StoreUnavailable: the lines are not known to be on disk in every copy.
        """
        self._append({object_id: (at, "") for object_id, at in destroyed.items()})

    def revive(self, object_ids: Iterable[UUID], at: dt.datetime) -> None:
        """Say of objects that a restore brought them back on purpose. Raises as ``note`` does."""
        self._append(dict.fromkeys(object_ids, (at, f" {_REVIVED}")))

    def _append(self, told: Mapping[UUID, tuple[dt.datetime, str]]) -> None:
        days: dict[dt.date, list[str]] = {}
        for object_id, (at, more) in told.items():
            moment = at.astimezone(dt.UTC)
            days.setdefault(moment.date(), []).append(f"{object_id} {moment.isoformat(timespec='milliseconds')}{more}")
        for day, lines in days.items():
            self.add(day, lines)

    def days(self) -> list[dt.date]:
        """Return the days that have lines, in order.

        Raises:
            StoreUnavailable: a copy could not be read.
        """
        try:
            found = {
                day
                for folder in self._folders
                if folder.is_dir()
                for path in folder.iterdir()
                if (day := day_of(path.name))
            }
        except OSError as error:
            raise durable.refusal(error) from error
        return sorted(found)

    def lines(self, day: dt.date) -> set[str]:
        """Return a day's lines from all copies; one that a crash tore is none. Raises as ``days`` does."""
        found: set[str] = set()
        for folder in self._folders:
            try:
                data = (folder / name_of(day)).read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise durable.refusal(error) from error
            found |= lines_of(data)
        return found

    def add(self, day: dt.date, lines: Iterable[str]) -> None:
        """Append lines, such as a mirror's, to a day durably. Raises as ``note`` does."""
        text = "".join(f"{line}\n" for line in lines)
        for folder in self._folders:
            durable.append(folder / name_of(day), text.encode())

    def destroyed(self) -> dict[UUID, dt.datetime]:
        """Return every object that is destroyed, with the time; see ``standing``. Raises as ``days`` does."""
        return standing(line for day in self.days() for line in self.lines(day))

    def forget(self, before: dt.date) -> int:
        """Remove the days before one, and return how many; what a backup could still revive must be younger.

        Raises:
            StoreUnavailable: a file may still be there.
        """
        gone = [day for day in self.days() if day < before]
        for day in gone:
            for folder in self._folders:
                durable.remove(folder / name_of(day))
        return len(gone)


def name_of(day: dt.date) -> str:
    """Return the name of a day's file."""
    return f"{day.isoformat()}{_SUFFIX}"


def day_of(name: str) -> dt.date | None:
    """Return the day that a file is of, or None where it is another file."""
    try:
        return dt.date.fromisoformat(name.removesuffix(_SUFFIX)) if name.endswith(_SUFFIX) else None
    except ValueError:
        return None


def lines_of(data: bytes) -> set[str]:
    """Return the whole lines of a day's file that name an object and a time."""
    whole = data[: data.rfind(b"\n") + 1].decode("ascii", errors="replace")
    return {line for line in whole.splitlines() if _read(line)}


def standing(lines: Iterable[str]) -> dict[UUID, dt.datetime]:
    """Return the objects that were not revived since they were destroyed, with the time when they first were.

    The first time, since destroying is repeated where a crash or a restore came between; of two lines at the same
    time the one that says “destroyed” counts.
    """
    destroyed: dict[UUID, list[dt.datetime]] = {}
    revived: dict[UUID, dt.datetime] = {}
    for object_id, at, is_destroyed in filter(None, map(_read, lines)):
        if is_destroyed:
            destroyed.setdefault(object_id, []).append(at)
        else:
            revived[object_id] = max(at, revived.get(object_id, at))
    found = {}
    for object_id, times in destroyed.items():
        since = revived.get(object_id)
        if later := [at for at in times if since is None or at >= since]:
            found[object_id] = min(later)
    return found


def _read(line: str) -> tuple[UUID, dt.datetime, bool] | None:
    name, _, rest = line.partition(" ")
    when, _, more = rest.partition(" ")
    try:
        at = dt.datetime.fromisoformat(when)
        return (UUID(name), at, more != _REVIVED) if at.tzinfo else None
    except ValueError:
        return None
