"""The infrastructure's templates, as ``make infra`` made them from the code in ``infra/``; read without Node.js."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headshotly.policy.configuration import Configuration
from headshotly.policy.refusal import Refusal

_REPOSITORY = Path(__file__).resolve().parents[2]


class TemplatesMissing(Refusal):
    """There are no templates, or they were made from other code than what is there."""

    code = "proof.templates_missing"
    status = 404


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template.

    Attributes:
        name: ``stack/logical id``.
        kind: such as ``AWS::S3::Bucket``.
        properties: as CloudFormation reads them.
    """

    name: str
    kind: str
    properties: dict[str, Any]


def folder_of(here: Configuration) -> Path:
    """Return where the infrastructure's code and templates lie; the option ``infra.folder`` says so in an image."""
    return Path(here.options.get("infra.folder") or _REPOSITORY / "infra")


def _source_sha256(folder: Path) -> str:
    paths = sorted([*(folder / "headshotly_infra").rglob("*.py"), *(folder / "suricata").rglob("*")])
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            digest.update(f"{path.relative_to(folder)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def resources(here: Configuration) -> list[Resource]:
    """Return every resource of every template.

    Raises:
        TemplatesMissing: there are none, or the code they were made from is not the code that is there.
    """
    folder = folder_of(here)
    paths = sorted((folder / "templates").glob("*.json"))
    try:
        made_from = json.loads((folder / "templates" / "source.json").read_text(encoding="utf-8"))["sha256"]
        found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths if path.stem != "source"}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TemplatesMissing("The infrastructure's templates are not here, or cannot be read.") from error
    if made_from != _source_sha256(folder):
        raise TemplatesMissing("The templates were made from other code than what is here; “make infra” makes them.")
    return [
        Resource(f"{stack}/{logical}", str(one["Type"]), one.get("Properties", {}))
        for stack, template in found.items()
        for logical, one in template.items()
    ]


def of_kind(among: list[Resource], kind: str) -> list[Resource]:
    """Return the resources of one kind."""
    return [one for one in among if one.kind == kind]
