"""The templates in ``templates/`` are what this code makes: the running service's checks read them without Node.js."""

import hashlib
import json
import os
from pathlib import Path

INFRA = Path(__file__).resolve().parents[1]
FOLDER = INFRA / "templates"


def source_sha256() -> str:
    """Return the hash of everything the templates are made from; ``headshotly.proof.infrastructure`` computes the same."""
    paths = sorted([*(INFRA / "headshotly_infra").rglob("*.py"), *(INFRA / "suricata").rglob("*")])
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            digest.update(f"{path.relative_to(INFRA)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def test_the_committed_templates_are_what_the_code_makes(templates) -> None:
    """Make them anew with ``HEADSHOTLY_WRITE_TABLES=1 make infra`` and read the diff."""
    made = {name: json.dumps(one["Resources"], indent=1, sort_keys=True) + "\n" for name, one in templates.items()}
    made["source"] = json.dumps({"sha256": source_sha256()}) + "\n"
    if os.environ.get("HEADSHOTLY_WRITE_TABLES"):
        for name, text in made.items():
            (FOLDER / f"{name}.json").write_text(text)
    assert {path.stem: path.read_text() for path in FOLDER.glob("*.json")} == made
