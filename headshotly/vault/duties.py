"""What the vault does unasked."""

import datetime as dt

from headshotly.audit.actor import SYSTEM
from headshotly.policy.duties import duty
from headshotly.vault import places
from headshotly.vault.services import finish_destructions, sweep_orphans


@duty("vault.sweep", every=dt.timedelta(hours=1), slow=True)
def sweep() -> str:
    """Finish deletions that were cut short, and remove sealed bytes that a crash left without a row."""
    finished = finish_destructions(actor=SYSTEM)
    return f"{finished} deletions finished, {sweep_orphans()} leftovers removed."


@duty("vault.place", every=dt.timedelta(minutes=5))
def place() -> str:
    """Write down where sealed objects lie."""
    return "The store is another than before; written down." if places.note() else "The store is the same as before."
