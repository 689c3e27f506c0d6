"""A scene for the suite: no listener is started unless a test asks for one."""

import pytest

from headshotly.proof.scene import Scene


def no_service():
    raise AssertionError("this test has no service to look at")


@pytest.fixture
def scene(db) -> Scene:
    return Scene(find_service=no_service)
