"""No check without a sabotage."""

import re
from pathlib import Path

from headshotly.proof import registry

_MARK = re.compile(r'sabotage\(\s*"(\w+)"')


def test_every_check_is_sabotaged_and_every_sabotage_has_its_check() -> None:
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    marked = {name for path in files for name in _MARK.findall(path.read_text())}
    assert marked == set(registry.load())
