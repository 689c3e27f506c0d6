"""What the cash desk does unasked."""

import datetime as dt

from headshotly.orders import events, reconciliation, services
from headshotly.policy.duties import duty


@duty("orders.refunds", every=dt.timedelta(minutes=5))
def refunds() -> str:
    """Act upon messages that wait, send refunds that wait, and pay back what took too long."""
    done, late = events.process_waiting(), reconciliation.end_overdue()
    return f"{done} messages done, {services.send_refunds()} refunds sent, {late} late shoots ended."


@duty("orders.reconcile", every=dt.timedelta(days=1))
def reconcile() -> str:
    """Compare our orders with the payment service's."""
    found = reconciliation.reconcile()
    return f"{found.compared} payments compared, {found.healed} healed, {len(found.differences)} differences."
