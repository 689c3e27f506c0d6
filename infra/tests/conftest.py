"""One synthesis for all tests: offline, for an account that does not exist."""

import json
from pathlib import Path

import aws_cdk as cdk
import pytest
from headshotly_infra.deployment import FLAGS, stacks
from headshotly_infra.plan import Plan

ACCOUNT = "123456789012"
PLAN = Plan(
    account=ACCOUNT,
    certificate=f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000000",
    image=f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com/headshotly@sha256:{'ab' * 32}",
    s3_prefix_list="pl-6ea54007",
    ways_out="events.pagerduty.example, .webhooks.example",
    stripe_secret=f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:headshotly/stripe-AbCdEf",
    organisation_unit="ou-abcd-12345678",
    management_account="210987654321",
    with_gpu=True,
    gpu_workers=1,
)


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with every template; synthesis fails where cdk-nag finds anything that no exception covers."""
    folder = tmp_path_factory.mktemp("cdk")
    app = cdk.App(outdir=str(folder), context=FLAGS)
    stacks(app, PLAN)
    app.synth()
    return folder


@pytest.fixture(scope="session")
def templates(assembly: Path) -> dict[str, dict]:
    """Every template by its stack's name, without the product's."""
    found = {path.name.split(".")[0].removeprefix("HeadShotly-"): path for path in assembly.glob("*.template.json")}
    return {name: json.loads(path.read_text()) for name, path in found.items()}


@pytest.fixture(scope="session")
def resources(templates: dict[str, dict]):
    """Ask for every resource of a type, over all stacks or in one."""

    def ask(kind: str, stack: str | None = None) -> dict[str, dict]:
        return {
            f"{name}/{logical}": resource["Properties"]
            for name, template in templates.items()
            if stack in {None, name}
            for logical, resource in template["Resources"].items()
            if resource["Type"] == kind
        }

    return ask
