"""The name server of a scan. Python loads this by itself (``site``) in every process of the service under scan.

Names that the scan made up answer what the scan says, a name may answer otherwise the next time it is asked, and no
other name is known at all: whatever address an attack makes the service speak to, nothing outside this machine hears
it. Each question is written down.
"""

import json
import os
import socket
import sys
from typing import Any

_ZONE: dict[str, list[list[str]]] = json.loads(os.environ.get("DAST_ZONE", "{}"))
_ASKED = os.environ.get("DAST_ASKED", os.devnull)
_HERE = {"", "localhost", "ip6-localhost", socket.gethostname().lower()}
_known, _known_by_number = socket.getaddrinfo, socket.gethostbyname


def _is_number(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, name.partition("%")[0])
        except OSError:
            continue
        return True
    return False


def _text(host: Any) -> str:
    return (host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")).lower()


def _getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002, PLR0917 - the library's
    name = _text(host)
    if name in _HERE or _is_number(name):
        return _known(host, port, family, type, proto, flags)
    sys.audit("socket.getaddrinfo", host, port, family, type, proto)  # as the real one does: the service listens to it
    with open(_ASKED, "a", encoding="utf-8") as asked:  # noqa: PTH123 - pathlib would be imported into every process
        asked.write(f"{name}\n")
    answers = _ZONE.get(name)
    if not answers:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    said = answers.pop(0) if len(answers) > 1 else answers[0]
    return [one for number in said for one in _known(number, port, 0, type, proto, socket.AI_NUMERICHOST)]


def _gethostbyname(name: Any) -> Any:
    return _known_by_number(name) if _text(name) in _HERE else _getaddrinfo(name, 0)[0][4][0]


socket.getaddrinfo = _getaddrinfo
socket.gethostbyname = _gethostbyname
