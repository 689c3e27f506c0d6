"""Pages and forms as wapiti sees and attacks them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dast.program import run
from dast.results import Found, Level, Scan, ScanFailed

# Left out: what needs a name server of one's own (log4shell, of a Java library) or asks the network outside (takeover),
# knows foreign products only (cms, nikto, wp_enum, printer, …), repeats another tool here (ssl), or guesses passwords
# (brute_login_form).
MODULES = "passive,csrf,crlf,exec,file,ldap,methods,permanentxss,redirect,sql,ssrf,upload,xss,xxe"
NOWHERE = "http://127.0.0.1:9/"  # nobody answers there, and nobody outside this machine is named
# What is concluded from two pages differing: a page that says something else for another reason looks the same.
BY_COMPARISON = {"sql-injection": "sql"}
_LEVELS: dict[int, Level] = {0: "note", 1: "note", 2: "warning", 3: "error", 4: "error"}
_CWE = {
    "reflected-cross-site-scripting": 79, "stored-cross-site-scripting": 79, "sql-injection": 89,
    "open-redirect": 601, "path-traversal": 22, "command-execution": 78, "cross-site-request-forgery": 352,
    "content-security-policy-configuration": 693, "clickjacking-protection": 1021, "secure-flag-cookie": 614,
    "httponly-flag-cookie": 1004, "internal-server-error": 755, "crlf-injection": 93, "unrestricted-file-upload": 434,
    "http-strict-transport-security-hsts": 319, "mime-type-confusion": 430, "htaccess-bypass": 285,
    "server-side-request-forgery": 918, "xml-external-entity": 611, "information-disclosure-full-path": 200,
    "unencrypted-channels": 319, "cleartext-submission-of-password": 319,
}  # fmt: skip
# “Additionals” only describe; what a page allows (OPTIONS) is no weakness by itself.
_GROUPS = ("vulnerabilities", "anomalies")
_LAUNCHED = re.compile(r"Launching module (\w+)")
_CUT = re.compile(r"Max attack time was reached for module (\w+)")
_AIMED = "[+] "  # wapiti prints what it attacks next
_QUERIED = re.compile(r"^\[\+\] GET https?://[^/\s]+(/[^\s?]*)(\?\S+)", re.MULTILINE)
_LOST = re.compile(r"(\d+) requests were skipped due to network issues")
_RULE_OFF = re.compile(r"^---$", re.MULTILINE)  # around each thing it found
_EVIL = re.compile(r"^\s*([A-Z]+) (/\S*) HTTP/", re.MULTILINE)
_XXE = re.compile(r"XXE|reached the DTD file")
_BROKEN = re.compile(r"Module (\w+) seems broken|An exception occurred in module (\w+)")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a scan goes.

    Attributes:
        crawl: seconds for finding pages.
        attack: seconds for each kind of attack.
        whole: seconds after which the scan is given up.
        tasks: requests at a time.
        sql: what SQL is tried on: ``sql`` everything, ``sql:post`` forms only. wapiti compares whole pages letter by
            letter, which takes minutes for a long page that says something else each time.
        depth: how many steps from where it begins.
    """

    crawl: float = 40
    attack: float = 12
    whole: float = 120
    tasks: int = 6
    sql: str = "sql"
    depth: int = 40


def scan(
    url: str, *, tools: Path, scratch: Path, cookies: Mapping[str, str], start: Sequence[str] = (),
    leave_alone: Sequence[str] = (), bounds: Bounds, modules: str = MODULES, scope: str = "domain",
    callback: str = NOWHERE,
) -> Scan:  # fmt: skip
    """Return what wapiti finds on a site.

    Args:
        url: of the site, or of the one page; it begins there.
        tools: folder of the programs.
        scratch: where report and session of wapiti may lie.
        cookies: of who is signed in; empty for a visitor.
        start: more paths to begin at, from the root of the host.
        leave_alone: patterns of such paths that are not to be asked, ``*`` for anything.
        bounds: how far it goes.
        modules: kinds of attack.
        scope: ``domain``, ``folder`` for what is below the address, or ``page`` for that page alone.
        callback: address of the listener that attacks name. wapiti's own default is its makers' host.

    Raises:
        ScanFailed: wapiti made no complete report.
    """
    report = scratch / "wapiti.json"
    host = urlsplit(url)._replace(path="").geturl()
    command = [
        str(tools / "wapiti"), "-u", url if scope == "page" else f"{url.rstrip('/')}/", "--scope", scope,
        "-d", str(bounds.depth),
        "-m", modules.replace("sql", bounds.sql),
        "-f", "json", "-o", str(report), "-dr", "1", "--no-bugreport", "--flush-session",
        "--store-session", str(scratch / "session"),
        "--store-config", str(scratch / "config"), "-t", "15", "--tasks", str(bounds.tasks), "-v", "1",
        "--max-scan-time", str(bounds.crawl), "--max-attack-time", str(bounds.attack),
        # Every page carries a form with a new token; “paranoid” follows forms that differ in nothing else once.
        "-S", "paranoid", "--skip", "csrfmiddlewaretoken",
        "--endpoint", callback,
    ]  # fmt: skip
    for path in start:
        command += ["-s", f"{host}{path}"]
    for pattern in leave_alone:
        command += ["-x", f"{host}{pattern}"]
    if cookies:
        command += ["-C", "; ".join(f"{name}={value}" for name, value in cookies.items())]
    seconds, said = run(command, seconds=bounds.whole, scratch=scratch)
    return read(report, said, seconds=seconds, modules=modules)


def read(report: Path, said: str, *, seconds: float = 0.0, modules: str = MODULES) -> Scan:
    """Return what a report of wapiti says.

    Args:
        report: its JSON file.
        said: what it printed, which alone tells of what it left undone.
        seconds: how long it took.
        modules: the kinds of attack it was to run.

    Raises:
        ScanFailed: the report is missing, or an attack did not run.
    """
    try:
        written = json.loads(report.read_text(encoding="utf-8"))
        version = written["infos"]["version"].removeprefix("Wapiti ")
        pages = written["infos"]["crawled_pages"]
        seen = int(written["infos"]["crawled_pages_nbr"])
    except (OSError, ValueError, KeyError) as error:
        raise ScanFailed(f"wapiti left no report: {type(error).__name__}.") from error
    broken = [first or second for first, second in _BROKEN.findall(said)]
    missing = sorted(set(modules.split(",")) - {"passive"} - set(_LAUNCHED.findall(said)))
    if broken or missing:
        raise ScanFailed(f"wapiti did not run {', '.join(broken or missing)}.")
    lost = sum(int(number) for number in _LOST.findall(said))
    notes = _how_far(said, seen)
    if lost:
        notes.append(f"{lost} requests had no answer in time.")
    covered = frozenset(urlsplit(_address(page)).path for page in pages)
    asked = {path: f"{path}{query}" for path, query in _QUERIED.findall(said)}
    found = [_found(kind, one, asked) for group in _GROUPS for kind, listed in written[group].items() for one in listed]
    found += _external_entities(said)
    return Scan("wapiti", version, list({one.fingerprint: one for one in found}.values()), covered, notes, seconds)


def _external_entities(said: str) -> list[Found]:
    """Return what the attack “xxe” found, out of what wapiti printed.

    wapiti 3.3.2 leaves it out of its report: the finding's type is written there as “XPATHi”, which no report takes.
    """
    found = []
    for block in _RULE_OFF.split(said):
        evil = _EVIL.search(block)
        if _XXE.search(block) and evil:
            place = urlsplit(evil[2]).path
            words = f"{evil[1]}: {block.strip().splitlines()[0]}"
            found.append(Found("xml-external-entity", place, words, "error", evil[1], _CWE["xml-external-entity"]))
    return found


def _how_far(said: str, seen: int) -> list[str]:
    """Return one sentence for each kind of attack: how much of what was seen it took on, and if its time was enough.

    Not everything is for every attack, so one that was done may have taken on less than was seen.
    """
    cut = set(_CUT.findall(said))
    _, *parts = _LAUNCHED.split(said)
    taken = {
        name: sum(line.startswith(_AIMED) for line in part.splitlines())
        for name, part in zip(parts[::2], parts[1::2], strict=True)
    }
    ends = {True: "was broken off when its time was over, after", False: "was done:"}
    return [
        f"The attack “{name}” {ends[name in cut]} {count} of {seen} addresses and forms."
        for name, count in sorted(taken.items())
    ]


def _address(page: Any) -> str:
    request = page["request"] if isinstance(page, dict) and "request" in page else page
    return str(request["url"] if isinstance(request, dict) else request)


def _found(kind: str, one: dict[str, Any], asked: Mapping[str, str]) -> Found:
    rule = re.sub(r"[^a-z0-9.]+", "-", kind.lower()).strip("-")
    words = re.sub(r"https?://localhost:\d+", "", one["info"])
    place = urlsplit(one["path"]).path
    seen_from = urlsplit(one.get("referer") or "").path or asked.get(place, "")
    return Found(rule, place, f"{one['method']}: {words}", _LEVELS[one["level"]],
                 f"{one['method']} {one['parameter'] or ''}".strip(), _CWE.get(rule, 0),
                 seen_from)  # fmt: skip
