"""All stacks of one deployment, each with its tags, checked by cdk-nag as they are made."""

import dataclasses
import datetime as dt

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from headshotly_infra.data import Copies, Data
from headshotly_infra.exceptions import suppress
from headshotly_infra.guard_rails import GuardRails
from headshotly_infra.keys import Keys
from headshotly_infra.network import Network
from headshotly_infra.plan import Plan
from headshotly_infra.service import Service
from headshotly_infra.watch import Watch

# How AWS CDK itself asks for newer behaviour: access logs by bucket policy instead of ACL, smaller policies.
FLAGS = {
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/core:checkSecretUsage": True,
    "@aws-cdk/aws-ecs:disableExplicitDeploymentControllerForCircuitBreaker": True,
    "@aws-cdk/aws-s3:createDefaultLoggingPolicy": True,
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
    "@aws-cdk/aws-ecs:removeDefaultDesiredCount": True,
    "aws:cdk:disable-version-reporting": True,
}


def plan_of(app: cdk.App) -> Plan:
    """Return the plan that the app's context describes.

    Raises:
        ValueError: something is missing or not allowed.
    """
    given = {}
    for field in dataclasses.fields(Plan):
        value = app.node.try_get_context(field.name)
        if value is not None:
            given[field.name] = _as_said(field.name, value, str(field.type))
    if "account" not in given:
        raise ValueError("Name the account: -c account=123456789012.")
    return Plan(**given)


def _as_said(name: str, value: object, kind: str) -> object:
    """Return a value of the context as the plan takes it; on a command line everything is text."""
    if kind in {"int", "<class 'int'>"}:
        return int(str(value))
    if kind in {"bool", "<class 'bool'>"}:
        said = str(value).lower()
        if said not in {"true", "false"}:
            raise ValueError(f"{name} is true or false, and not “{value}”.")
        return said == "true"
    return value


def stacks(app: cdk.App, plan: Plan, *, today: dt.date | None = None) -> dict[str, cdk.Stack]:
    """Return every stack of a deployment by name.

    Args:
        app: what they belong to.
        plan: this deployment.
        today: on which exceptions to the checks are judged; the real day where None.
    """
    app.node.set_context("secondary", plan.secondary)
    here = cdk.Environment(account=plan.account, region=plan.primary)
    there = cdk.Environment(account=plan.account, region=plan.secondary)
    copies_name = f"headshotly-copies-{plan.account}-{plan.secondary}"
    # Fixed names, for the first region must name them.
    second = f"headshotly-second-{plan.account}-{plan.secondary}"
    mirror = f"headshotly-mirror-{plan.account}-{plan.secondary}"
    # And the second must name this one.
    backup = f"headshotly-backup-{plan.account}-{plan.primary}"
    keys = Keys(app, "HeadShotly-Keys", env=here)
    network = Network(app, "HeadShotly-Network", plan=plan, log_key=keys.keys["logs"],
                      second_buckets=tuple(f"{one}.s3.{plan.secondary}.amazonaws.com" for one in (second, mirror)),
                      env=here)  # fmt: skip
    copies = Copies(app, "HeadShotly-Copies", bucket_name=copies_name, store=second, mirror=mirror,
                    copied_from=backup, alarm_mail=plan.alarm_mail, env=there)  # fmt: skip
    data = Data(app, "HeadShotly-Data", network=network, keys=keys, copy_to=copies_name, copy_from=backup,
                second_store=(second, mirror), env=here)  # fmt: skip
    data.add_stack_dependency(copies)
    service = Service(app, "HeadShotly-Service", plan=plan, network=network, keys=keys, data=data, env=here)
    watch = Watch(app, "HeadShotly-Watch", plan=plan, network=network, keys=keys, data=data,
                  service=service, env=here)  # fmt: skip
    made: dict[str, cdk.Stack] = {
        "keys": keys, "network": network, "copies": copies, "data": data, "service": service, "watch": watch,
    }  # fmt: skip
    if plan.organisation_unit:
        above = cdk.Environment(account=plan.management_account, region=plan.primary)
        made["guard-rails"] = GuardRails(app, "HeadShotly-GuardRails", plan=plan, env=above)
    suppress(made, today or dt.datetime.now(dt.UTC).date(), copies=copies_name, second=second, mirror=mirror,
             primary=plan.primary, secondary=plan.secondary, account=plan.account)  # fmt: skip
    for stack in made.values():
        stack.termination_protection = True
        cdk.Tags.of(stack).add("product", "headshotly")
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))
    return made
