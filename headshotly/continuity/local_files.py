"""The few small files a restored service cannot do without: secrets of its own that no key store keeps.

Never among them: the root keys and the customers' keys.
"""

from pathlib import Path

from headshotly.audit import keys
from headshotly.policy import configuration


def places() -> dict[str, Path]:
    """Return where each file lies, by its name in a backup."""
    here = configuration.current().data_folder
    return {**keys.files(), "secret-key": here / "secret-key", "witness-era": here / "witness-era"}
