"""Acts in production take a grant for exactly that act, live and approved by somebody else (clause 2.4.c)."""

import dataclasses
import uuid

import click
import pytest
from click.testing import CliRunner

from headshotly.access import grants
from headshotly.access.errors import GrantRefused, NotFound
from headshotly.access.models import Grant, Role
from headshotly.frontdoor.commandline import Commands, program, require_grant
from headshotly.policy import configuration
from headshotly.policy.permission import production_act_of
from headshotly.policy.refusal import Refusal
from tests.access.conftest import make_member

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.clause("2.4.c")]


@pytest.fixture
def production(settings):
    settings.HEADSHOTLY = dataclasses.replace(configuration.current(), environment="production")


@pytest.fixture
def grant(db) -> Grant:
    asker, decider = make_member(Role.OPERATIONS), make_member(Role.SECURITY)
    asked = grants.ask(
        member=asker, scope="act:rotate-keys", subject=None, purpose="fault-analysis", ticket="OPS-1", minutes=30
    )
    return grants.approve(decider=decider, grant_id=asked.id)


def under(grant_id, scope: str) -> None:
    with click.Context(program) as context:
        context.params["grant"] = grant_id
        require_grant(scope)


@pytest.mark.usefixtures("production")
def test_without_a_grant_nothing_happens():
    with pytest.raises(Refusal, match="takes a grant for “act:rotate-keys”"):
        under(None, "act:rotate-keys")
    with pytest.raises(NotFound):
        under(uuid.uuid4(), "act:rotate-keys")


@pytest.mark.usefixtures("production")
def test_under_its_grant_the_act_happens_and_the_use_is_noted(grant):
    under(grant.id, "act:rotate-keys")
    assert Grant.objects.get(id=grant.id).uses == 1
    with pytest.raises(GrantRefused, match="something else"):
        under(grant.id, "act:database")
    grants.end(actor=grants._actor(grant.member), grant_id=grant.id, because="done")
    with pytest.raises(GrantRefused, match="opens nothing now"):
        under(grant.id, "act:rotate-keys")


def test_elsewhere_nobody_asks(grant):
    under(None, "act:rotate-keys")
    assert Grant.objects.get(id=grant.id).uses == 0


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    "words",
    [
        ["keys", "rotate"],
        ["manage", "shell"],
        ["manage", "dbshell"],
        ["manage"],
        ["restore", "--keys"],
        ["restore", "--objects"],
    ],
)
def test_the_commands_themselves_refuse(words):
    done = CliRunner().invoke(program, words)
    assert done.exit_code == 1
    assert isinstance(done.exception, Refusal)
    assert done.exception.code == "command.no_grant"


def test_rotating_and_protecting_keys_are_such_acts():
    keys = Commands().get_command(None, "keys")
    marked = {name for name, command in keys.commands.items() if production_act_of(command)}
    assert marked == {"rotate", "protect"}
