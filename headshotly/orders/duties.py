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
    compared = f"{found.compared} payments compared, {found.lost} lost messages found, {found.healed} healed"
    return f"{compared}, {len(found.differences)} differences."


@duty("orders.retention", every=dt.timedelta(days=1))
def retention() -> str:
    """Have payers forgotten who left, and drop what is kept no longer."""
    told = services.say_farewell()
    return f"{told} payers forgotten at the payment service, {services.drop_old()} old orders dropped."
