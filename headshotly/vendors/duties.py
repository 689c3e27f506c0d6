"""What this room does unasked."""

import datetime as dt

from headshotly.policy.duties import duty
from headshotly.vendors import reminding


@duty("vendors.remind", every=dt.timedelta(days=1))
def remind() -> str:
    """Tell the security officer what runs out, before the gate closes over it."""
    return f"{reminding.remind()} vendors were named to the security officer."
