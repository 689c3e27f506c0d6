"""What the recipe of the image says; ``make image`` builds its layer twice and compares (container/README.md)."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from headshotly.policy import configuration
from headshotly.proof import infrastructure

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "container"


def instructions(text: str) -> list[tuple[str, str]]:
    """Return every instruction with its arguments, continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in joined.splitlines() if line.strip()]


def problems(text: str) -> set[str]:
    """Return what is wrong with a recipe."""
    said = instructions(text)
    last = max(number for number, (name, _) in enumerate(said) if name == "FROM")
    final = said[last:]
    found = set()
    if any(name == "FROM" and not value.startswith("${BASE}") for name, value in said) or ("ARG", "BASE") not in said:
        found.add("the base is not the operator's, by digest")
    if [value for name, value in final if name == "USER"] != ["10001:10001"]:
        found.add("runs as somebody")
    if any(name in {"RUN", "CMD", "ENTRYPOINT"} and not value.startswith("[") for name, value in said):
        found.add("starts a shell")
    if any(name == "ADD" or (name == "RUN" and re.search(r"curl|wget|apt", value)) for name, value in said):
        found.add("fetches without a hash")
    if any(name == "RUN" and "install" in value and "--require-hashes" not in value for name, value in said):
        found.add("installs without hashes")
    if not any(name == "HEALTHCHECK" and "CMD [" in value for name, value in final):
        found.add("has no health check")
    if any(name == "COPY" and "--from=build" not in value for name, value in final):
        found.add("brings the source into the image")
    if any(name in {"ARG", "ENV"} and re.search(r"PASSWORD|SECRET|TOKEN", value) for name, value in said):
        found.add("holds a secret")
    if not any(name == "ARG" and value == "SOURCE_DATE_EPOCH" for name, value in said):
        found.add("has a time of its own")
    return found


def test_the_recipe_keeps_its_rules() -> None:
    assert problems((FOLDER / "Containerfile").read_text()) == set()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("FROM ${BASE} AS build", "FROM python:3.13 AS build", "the base is not the operator's, by digest"),
        ("USER 10001:10001", "USER root", "runs as somebody"),
        ('CMD ["headshotly", ', 'CMD headshotly serve ["', "starts a shell"),
        ("WORKDIR /src", 'RUN ["curl", "https://example.org"]', "fetches without a hash"),
        ('"--require-hashes", ', "", "installs without hashes"),
        ("HEALTHCHECK", "LABEL", "has no health check"),
        ("COPY --from=build /layer/app", "COPY . /layer/app", "brings the source into the image"),
        ("ENV PATH=", "ENV ADMIN_PASSWORD=x PATH=", "holds a secret"),
        ("ARG SOURCE_DATE_EPOCH", "ARG OTHER", "has a time of its own"),
    ],
)
def test_a_worse_recipe_is_noticed(old: str, new: str, what: str) -> None:
    text = (FOLDER / "Containerfile").read_text()
    assert old in text
    assert what in problems(text.replace(old, new, 1))


def test_the_image_runs_as_the_same_nobody_as_the_tasks() -> None:
    resources = json.loads((REPOSITORY / "infra" / "templates" / "Service.json").read_text()).values()
    containers = [
        one
        for each in resources
        if each["Type"] == "AWS::ECS::TaskDefinition"
        for one in each["Properties"]["ContainerDefinitions"]
    ]
    assert len(containers) >= 5
    assert {one["User"] for one in containers} == {"10001:10001"}
    assert all(one["ReadonlyRootFilesystem"] for one in containers)


def test_nothing_of_a_customer_or_a_key_gets_into_the_build(tmp_path: Path) -> None:
    ignored = (FOLDER / "Containerfile.dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    templates = {f"infra/{name}" for name in ("headshotly_infra", "suricata", "templates")}
    assert allowed == {"requirements", "headshotly", "container", ".models", "build/sbom.json"} | templates


@pytest.mark.clause("2.2", "2.3.a")
def test_the_image_brings_the_templates_that_its_checks_read(tmp_path: Path) -> None:
    """Without them the service in production could say nothing of where it runs."""
    [copied] = re.findall(r'^cp -R (infra/.*) "\$out/app/infra/"$', (FOLDER / "layer.sh").read_text(), re.MULTILINE)
    for name in copied.split():
        shutil.copytree(REPOSITORY / name, tmp_path / Path(name).name, ignore=shutil.ignore_patterns("__pycache__"))
    assert "HEADSHOTLY_OPTION_INFRA__FOLDER=/app/infra" in (FOLDER / "Containerfile").read_text()
    here = dataclasses.replace(configuration.current(), options={"infra.folder": str(tmp_path)})
    assert len(infrastructure.resources(here)) > 200


def test_the_health_check_says_no_where_nothing_answers(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, FOLDER / "health"], env={"HEADSHOTLY_HTTPS_PORT": "9"}, timeout=20, check=False
    )
    assert ran.returncode == 1


def test_a_layer_without_a_time_is_not_made(tmp_path: Path) -> None:
    ran = subprocess.run(
        ["sh", FOLDER / "layer.sh", tmp_path / "layer"], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
        timeout=20, check=False,
    )  # fmt: skip
    assert ran.returncode != 0
    assert "SOURCE_DATE_EPOCH" in ran.stderr
