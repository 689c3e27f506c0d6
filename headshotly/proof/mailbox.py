"""The security mailbox: mails are taken, and put aside only once they are recorded.

Two forms of one thing: a Maildir, as mail servers and fetchers deliver into, and a folder of ``.eml`` files. A mail is
never deleted here. Crash before ``done``: the mail is taken again, and its hash says that it is recorded already.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_READ_AT_MOST = (25 << 20) + 1  # one byte more than is accepted, so that too much is seen as too much


@dataclass(frozen=True, slots=True)
class Delivered:
    """One mail in the mailbox.

    Attributes:
        path: where it lies.
        raw: its bytes, cut after what is ever accepted.
    """

    path: Path
    raw: bytes


class Mailbox(Protocol):
    """Gives mails and takes note of those that are recorded."""

    def waiting(self) -> Iterator[Delivered]:
        """Yield every mail that was not recorded yet, the oldest name first."""

    def done(self, mail: Delivered) -> None:
        """Put a recorded mail aside."""


def _regular(folder: Path, pattern: str) -> Iterator[Delivered]:
    """Yield the files of a folder; links and folders are not mails, whoever put them there."""
    for path in sorted(folder.glob(pattern)):
        if path.is_symlink() or not path.is_file() or path.name.startswith("."):
            continue
        try:
            with path.open("rb") as file:
                yield Delivered(path, file.read(_READ_AT_MOST))
        except FileNotFoundError:
            continue  # another machine was quicker


class Maildir:
    """A Maildir: mails wait in ``new``; recorded ones lie in ``cur``, marked as seen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def waiting(self) -> Iterator[Delivered]:
        """Yield every mail in ``new``."""
        yield from _regular(self._folder / "new", "*")

    def done(self, mail: Delivered) -> None:
        """Move a mail to ``cur``; one that is gone already was moved by another machine."""
        target = self._folder / "cur"
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            mail.path.rename(target / f"{mail.path.name.partition(':')[0]}:2,S")
        except FileNotFoundError:
            return


class MailFolder:
    """A folder of ``.eml`` files; recorded ones lie in ``done``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def waiting(self) -> Iterator[Delivered]:
        """Yield every ``.eml`` file."""
        yield from _regular(self._folder, "*.eml")

    def done(self, mail: Delivered) -> None:
        """Move a mail to ``done``, as ``Maildir.done``."""
        target = self._folder / "done"
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            mail.path.rename(target / mail.path.name)
        except FileNotFoundError:
            return


def at(folder: Path) -> Mailbox:
    """Return the mailbox that a folder is: a Maildir where it has a ``new``, else a folder of files."""
    return Maildir(folder) if (folder / "new").is_dir() else MailFolder(folder)
