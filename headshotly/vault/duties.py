"""What the vault does unasked."""

import datetime as dt

from headshotly.policy.duties import duty
from headshotly.vault.services import sweep_orphans


@duty("vault.sweep", every=dt.timedelta(hours=1))
def sweep() -> str:
    """Remove sealed bytes that a crash left without a row."""
    return f"{sweep_orphans()} leftovers removed."
