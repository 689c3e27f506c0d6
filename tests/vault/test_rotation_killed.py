"""kill -9 in the middle of a rotation, at every change it makes on the disk."""

import os
import signal
import uuid

import pytest

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.vault import durable, rotation, service_secrets, wiring, wrapped_keys


@pytest.fixture
def keys(configure):
    """Three customers' keys and two secrets, in folders; no database is touched."""
    configure()
    service_secrets.secret("warrants")
    service_secrets.secret("receipts")
    made = {}
    for _ in range(3):
        customer = uuid.uuid4()
        key = os.urandom(32)
        wrapped_keys.add(customer, key, {"subject": str(customer), "use": "customer-key"})
        made[customer] = key
    return made


def _die_at(step: int) -> None:
    """Rotate in this child, and be killed at the step-th change."""
    left = [step]
    real = {"fsync": os.fsync, "link": os.link}
    real_replace, real_unlink = durable.Path.replace, durable.Path.unlink

    def count():
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    def before(function):
        def run(*args, **kwargs):
            count()
            return function(*args, **kwargs)

        return run

    os.fsync, os.link = before(real["fsync"]), before(real["link"])
    durable.Path.replace, durable.Path.unlink = before(real_replace), before(real_unlink)
    audit.record_durably = lambda **_: None
    rotation.rotate(actor=SYSTEM)


def test_kill_9_at_every_change_of_the_disk(keys):
    secrets = [service_secrets.secret(name) for name in ("warrants", "receipts")]
    killed, step = 0, 0
    while True:
        child = os.fork()
        if child == 0:
            try:
                _die_at(step)
            except BaseException:
                os._exit(3)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed in another way"
        wiring.rewire()
        wrapped_keys.flush()
        for customer, key in keys.items():
            assert wrapped_keys.plain(customer, {"subject": str(customer), "use": "customer-key"}) == key
        assert [service_secrets.secret(name) for name in ("warrants", "receipts")] == secrets
        if not os.WIFSIGNALED(status):
            break
        killed += 1
        step += 5 if killed > 40 else 1
        assert os.WTERMSIG(status) == signal.SIGKILL
        # Every second time the interrupted rotation is finished first, every other time the next child goes on with it.
        if killed % 2:
            _finish()
    assert killed > 40
    _finish()
    assert len(wiring.key_service().roots()) == 1
    for customer, key in keys.items():
        assert wrapped_keys.plain(customer, {"subject": str(customer), "use": "customer-key"}) == key


def _finish() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "record_durably", lambda **_: None)
        rotation.rotate(actor=SYSTEM)
    wrapped_keys.flush()
