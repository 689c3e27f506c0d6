"""What the front door does unasked: it keeps the queue honest."""

import datetime as dt

from headshotly.frontdoor import broker, queueing
from headshotly.frontdoor.broker import BrokerGone
from headshotly.incidents import watching
from headshotly.policy.duties import duty


@duty("frontdoor.queue", every=dt.timedelta(minutes=1))
def keep_queue() -> str:
    """Announce again what waits without an order, and raise the dead letters.

    Workers sweep too, every few seconds; this one does it where none runs, and makes what lies dead an event.
    """
    sent = queueing.sweep()
    try:
        found = queueing.counts()
    except BrokerGone as error:
        watching.saw_failure(product="python", error="BrokerGone", where="frontdoor.queue")
        return f"The queue ({broker.engine()}) does not answer ({error}); workers look into the database."
    dead = found.get("dead letters", 0)
    if dead:
        watching.saw_failure(product="python", error="DeadLetters", where="frontdoor.queue")
    return f"{sent} tasks announced again; {found['waiting']} wait, {found['failed']} failed; {dead} dead letters."
