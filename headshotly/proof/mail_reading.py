"""Making sense of a mail that anybody may have sent: bounded, and never trusted (RFC 5322, RFC 3834)."""

import re
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from html.parser import HTMLParser

from headshotly.proof.errors import NotOpened, UnreadableMail
from headshotly.proof.openpgp import open_message

LARGEST = 25 << 20
LONGEST_TEXT = 20_000
LONGEST_SUBJECT = 200
_ADDRESS_MAX = 254
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\()\[\]]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_ARMOR = b"-----BEGIN PGP MESSAGE-----"
_ROBOTS = frozenset({"bulk", "list", "junk"})
# What parsing hostile headers is known to raise, in CPython's email package.
_BROKEN = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMail:
    """What a mail says.

    Attributes:
        sender: address to answer to; empty where it names none we could write to.
        name: what the sender calls themselves.
        subject: one line.
        text: the words, at most ``LONGEST_TEXT`` characters.
        automatic: a program sent it, so that no program may answer (RFC 3834, section 2).
        encrypted: it came encrypted to our key.
        attachments: names of the files in it.
    """

    sender: str
    name: str
    subject: str
    text: str
    automatic: bool
    encrypted: bool = False
    attachments: tuple[str, ...] = ()


class _Words(HTMLParser):
    """Collects the words of a mail that was written in HTML; what would run or style is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's signature
        """Begin to ignore what is not text; break lines where the page does."""
        if tag in {"script", "style", "head"}:
            self._silent += 1
        elif tag in {"p", "br", "div", "li", "tr"}:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Listen again."""
        if tag in {"script", "style", "head"} and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        """Keep text."""
        if not self._silent:
            self.words.append(data)


def _text_of(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    words = payload.decode(_charset(part), "replace") if isinstance(payload, bytes) else ""
    if part.get_content_type() != "text/html":
        return words
    collector = _Words()
    collector.feed(words)
    return "".join(collector.words)


def _charset(part: EmailMessage) -> str:
    named = part.get_content_charset("utf-8")
    try:
        "".encode(named)
    except (LookupError, ValueError):
        return "utf-8"
    return named


def _parts(message: EmailMessage) -> list[EmailMessage]:
    return [part for part in message.walk() if not part.is_multipart()]


def _words(message: EmailMessage) -> str:
    for wanted in ("text/plain", "text/html"):
        for part in _parts(message):
            if part.get_content_type() == wanted and part.get_content_disposition() != "attachment":
                words = _text_of(part).replace("\r\n", "\n").replace("\x00", "").strip()
                if words:
                    return words[:LONGEST_TEXT]
    return ""


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _automatic(message: EmailMessage, sender: str, own: str) -> bool:
    said = _header(message, "Auto-Submitted").lower()
    return bool(
        (said and said != "no")
        or _header(message, "Precedence").lower() in _ROBOTS
        or message.get("List-Id")
        or _header(message, "Return-Path") == "<>"
        or not sender
        or sender.lower().startswith(("mailer-daemon@", "postmaster@", "no-reply@", "noreply@"))
        or sender.rpartition("@")[2].lower() == own.rpartition("@")[2].lower()
    )


def _armored(message: EmailMessage) -> bytes | None:
    """Return the encrypted message in a mail: PGP/MIME (RFC 3156) or armor in the text; None where there is none."""
    for part in _parts(message):
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and _ARMOR in payload:
            return payload[payload.index(_ARMOR) :]
    return None


def _parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=default)


def read(raw: bytes, *, own_address: str) -> ReadMail:
    """Return what a mail says; an encrypted one is opened with our key.

    Args:
        raw: the mail as it was delivered.
        own_address: the security address, so that we never answer ourselves.

    Raises:
        UnreadableMail: it is empty, too large, or its form cannot be followed. A person must look at it.
    """
    if not raw.strip() or len(raw) > LARGEST:
        raise UnreadableMail("A mail to the security address is empty or larger than 25 MB.")
    try:
        return _read(raw, own_address)
    except _BROKEN as error:
        raise UnreadableMail("A mail to the security address has a form that cannot be read.") from error


def _read(raw: bytes, own_address: str) -> ReadMail:
    message = _parse(raw)
    name, address = parseaddr(str(message.get("Reply-To") or message.get("From") or ""))
    sender = address if len(address) <= _ADDRESS_MAX and _ADDRESS.fullmatch(address) else ""
    found = ReadMail(
        sender=sender,
        name=" ".join(name.split())[:LONGEST_SUBJECT],
        subject=_header(message, "Subject")[:LONGEST_SUBJECT],
        text=_words(message),
        automatic=_automatic(message, sender, own_address),
        attachments=tuple(str(part.get_filename())[:120] for part in _parts(message) if part.get_filename())[:20],
    )
    armored = _armored(message)
    return found if armored is None else _opened(found, armored)


def _opened(mail: ReadMail, armored: bytes) -> ReadMail:
    """Return the mail with the words that were encrypted; one that our key does not open keeps its armor as text."""
    try:
        inside = open_message(armored)
    except NotOpened as refusal:
        return replace(mail, encrypted=True, text=f"{refusal.sentence}\n\n{mail.text}"[:LONGEST_TEXT])
    message = _parse(inside)
    words = _words(message) if message.get("Content-Type") else inside.decode("utf-8", "replace")[:LONGEST_TEXT]
    return replace(mail, encrypted=True, text=words.replace("\x00", ""))
