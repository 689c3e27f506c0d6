"""What a page loads and says, read from its HTML. Knows no service."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

_SOURCES = {"src", "srcset", "poster", "data", "background", "action", "formaction", "manifest", "xlink:href"}
_STYLE_ADDRESS = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
_REFRESH = re.compile(r"url\s*=\s*['\"]?([^'\";]+)", re.IGNORECASE)
_SILENT = {"script", "style", "template"}


@dataclass(slots=True)
class _Reader(HTMLParser):
    loads: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    silent: int = 0

    def __post_init__(self) -> None:
        HTMLParser.__init__(self, convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.silent += tag in _SILENT
        for name in _SOURCES & named.keys():
            parts = named[name].split(",") if name == "srcset" else [named[name]]
            self.loads += [part.split()[0] for part in parts if part.split()]
        if tag == "link":
            self.loads.append(named.get("href", ""))
        if tag == "meta" and named.get("http-equiv", "").lower() == "refresh":
            self.loads += _REFRESH.findall(named.get("content", ""))
        self._style(named.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in _SILENT and self.silent > 0

    def handle_data(self, data: str) -> None:
        if self.silent:
            self._style(data)
        else:
            self.said.append(data)

    def _style(self, text: str) -> None:
        self.loads += [one or other for one, other in _STYLE_ADDRESS.findall(text)]


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def foreign(html: str, *, own: frozenset[str]) -> list[str]:
    """Return every address a page loads, or sends forms to, that lies on another host.

    Args:
        html: the page.
        own: host names that are ours.
    """
    return sorted({address for address in _read(html).loads if _host(address) not in own | {""}})


def _host(address: str) -> str:
    if address.startswith(("data:", "blob:")):
        return ""
    try:
        return (urlsplit(address.strip()).hostname or "").lower()
    except ValueError:
        return address


def words(html: str) -> str:
    """Return what a page says, white space folded."""
    return " ".join(" ".join(_read(html).said).split())


def loose_sources(policy: str) -> Iterator[str]:
    """Yield what a content security policy allows beyond ourselves, and what it leaves open."""
    directives = [part.split() for part in policy.split(";") if part.split()]
    known = {parts[0].lower(): parts[1:] for parts in directives}
    if not known.get("default-src") or not set(known["default-src"]) <= {"'none'", "'self'"}:
        yield "default-src"
    for name in ("base-uri", "form-action", "frame-ancestors"):  # default-src does not cover these
        if name not in known:
            yield name
    for name, sources in known.items():
        yield from (f"{name} {source}" for source in sources if source not in _OURS)


_OURS = {"'none'", "'self'", "data:", "blob:"}
