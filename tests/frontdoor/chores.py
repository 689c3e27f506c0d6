"""Tasks of tests, and what they did: in this process, in order."""

from django.tasks import task

from headshotly.policy.permission import permission
from headshotly.studio.tasks import Interrupted

done: list[str] = []


@task
@permission("service:worker")
def note(mark: str) -> None:
    """Remember a mark."""
    done.append(mark)


@task
@permission("service:worker")
def fall(mark: str) -> None:
    """Fail."""
    done.append(mark)
    raise RuntimeError


@task
@permission("service:worker")
def stop_once(mark: str) -> None:
    """Be told to stop the first time, and be done the second."""
    done.append(mark)
    if done.count(mark) == 1:
        raise Interrupted
