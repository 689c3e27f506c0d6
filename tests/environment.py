"""Loaded before Django reads its settings: nothing of a test run may touch the developer's own data."""

import os
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="headshotly-test-"))
os.environ["HEADSHOTLY_ENVIRONMENT"] = "test"
os.environ["HEADSHOTLY_DATA"] = str(FOLDER / "data")
os.environ["HEADSHOTLY_MAIL"] = str(FOLDER / "mail")
