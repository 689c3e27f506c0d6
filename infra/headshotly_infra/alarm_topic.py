"""A sealed topic that alarms of the account may write to, and the key that lets them."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions


def _alarms_of(account: str, actions: list[str], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="Alarms",
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=actions,
        resources=[resource],
        conditions={"StringEquals": {"aws:SourceAccount": account}},
    )


def let_alarms_use(key: kms.Key, account: str) -> None:
    """Let alarms write to what a key seals; without this none would arrive, and nothing would say so."""
    key.add_to_resource_policy(_alarms_of(account, ["kms:GenerateDataKey*", "kms:Decrypt"], "*"))


def topic_of_alarms(stack: Stack, key: kms.Key, mail: str) -> sns.Topic:
    """Return a stack's topic of alarms, whose mails go to one address.

    A topic with a policy of its own no longer lets the account's alarms in by itself.

    Args:
        stack: where the topic lies; alarms of its region may name it.
        key: that seals it; ``let_alarms_use`` was called for it.
        mail: address.
    """
    topic = sns.Topic(stack, "Alarms", master_key=key, enforce_ssl=True)
    topic.add_subscription(subscriptions.EmailSubscription(mail))
    topic.add_to_resource_policy(_alarms_of(stack.account, ["sns:Publish"], topic.topic_arn))
    return topic
