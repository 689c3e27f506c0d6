"""What is published about the formats is what the code does."""

import re
import uuid
from pathlib import Path

from headshotly.vault import envelope, streaming

FORMATS = Path(__file__).resolve().parents[2] / "docs" / "formats"


def rows(page: str) -> dict[str, list[str]]:
    """The rows of the page's tables by their second-last column, cells stripped."""
    text = (FORMATS / page).read_text(encoding="utf-8")
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    return {row[2]: row for row in cells if len(row) == 4}


def test_the_published_layout_is_the_code_s():
    layout = rows("object.md")
    purpose = "headshot-generation"
    n = len(purpose)
    _, header = envelope.make(owner=uuid.uuid4(), object_id=uuid.uuid4(), purpose=purpose, customer_key=bytes(32))

    def offset(field: str) -> int:
        return sum(n if part == "n" else int(part) for part in layout[field][0].split("+"))

    magic = bytes.fromhex(re.search(r"`([0-9a-f ]+)`", layout["magic"][3])[1])
    assert header.startswith(magic)
    assert header[offset("n")] == n
    assert header[offset("purpose") : offset("nonce")] == purpose.encode()
    assert offset("wrapped data key") - offset("nonce") == envelope.NONCE == int(layout["nonce"][1])
    assert offset("commitment") - offset("wrapped data key") == envelope.WRAPPED == int(layout["wrapped data key"][1])
    assert offset("body") - offset("commitment") == envelope.COMMITMENT == int(layout["commitment"][1])
    assert offset("body") == len(header)


def test_the_published_segment_sizes_are_the_code_s():
    text = (FORMATS / "object.md").read_text(encoding="utf-8")
    for number in (streaming.SEGMENT, streaming.FIRST_PLAIN, streaming.PLAIN):
        assert f"{number:,}" in text


def test_the_published_derivations_are_the_code_s():
    text = (FORMATS / "object.md").read_text(encoding="utf-8")
    assert f"`{envelope._WRAPPING_INFO.decode()}`" in text
    assert f"`{envelope._COMMITMENT_INFO.decode()}`" in text
