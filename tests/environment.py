"""Loaded before Django reads its settings: nothing of a test run may touch the developer's own data."""

import os
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="headshotly-test-"))
os.environ["HEADSHOTLY_ENVIRONMENT"] = "test"
os.environ["HEADSHOTLY_DATA"] = str(FOLDER / "data")
os.environ["HEADSHOTLY_MAIL"] = str(FOLDER / "mail")
# Enough for every suite but the cash desk's own, which sets what it needs.
os.environ["HEADSHOTLY_OPTION_ORDERS__TRIAL_HEADSHOTS"] = "1000"
