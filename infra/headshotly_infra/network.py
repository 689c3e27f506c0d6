"""The network: a public edge for the load balancer alone, tasks behind a firewall, data with no way out (4.1, 8.2)."""

import ipaddress
from pathlib import Path

from aws_cdk import CfnOutput, Fn, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_networkfirewall as firewall
from constructs import Construct

from headshotly_infra.keys import OPERATOR, ROOMS
from headshotly_infra.plan import Plan

_RULES = Path(__file__).resolve().parents[1] / "suricata"
RULES, SENDERS_RULES = _RULES / "headshotly.rules", _RULES / "senders.rules"
SENDER = "sender"
# Where no customer's endpoint lies; what the program's own guard refuses as well (``vendors.way_out.is_public``).
INSIDE = ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
          "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3")  # fmt: skip
# The only names a task may reach outside; everything of AWS goes through private endpoints.
# Besides these, the buckets of the second region, each by its own name, and what the plan names.
WAYS_OUT = ("api.stripe.com",)
# Where programs tell their numbers (infra/prometheus/scrape.yml).
METRICS = {"worker": 9464, "sequencer": 9465, "detector": 9466, "duties": 9467, SENDER: 9469}
ENDPOINTS = {
    "Kms": ec2.InterfaceVpcEndpointAwsService.KMS,
    "EcrApi": ec2.InterfaceVpcEndpointAwsService.ECR,
    "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "Sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
    "Secrets": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    "Mail": ec2.InterfaceVpcEndpointAwsService.EMAIL,
}
# What a machine of one's own asks of ECS; Fargate does so by itself.
MACHINE_ENDPOINTS = {
    "Ecs": ec2.InterfaceVpcEndpointAwsService.ECS,
    "EcsAgent": ec2.InterfaceVpcEndpointAwsService.ECS_AGENT,
    "EcsTelemetry": ec2.InterfaceVpcEndpointAwsService.ECS_TELEMETRY,
}


class Network(Stack):
    """One VPC over two zones, its firewall, its endpoints, its flow logs and a security group for each room."""

    def __init__(
        self, scope: Construct, name: str, *, plan: Plan, log_key: kms.IKey, second_buckets: tuple[str, ...] = (),
        **given: object,
    ) -> None:  # fmt: skip
        """Make the network.

        Args:
            scope: the app.
            name: of the stack.
            plan: this deployment.
            log_key: seals what the network writes down.
            second_buckets: host names of our buckets in the second region.
            given: what ``Stack`` takes.
        """
        super().__init__(scope, name, **given)  # type: ignore[arg-type]
        self._plan, self._second_buckets = plan, second_buckets
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            ip_addresses=ec2.IpAddresses.cidr("10.20.0.0/16"),
            nat_gateways=2,
            # Apart from the load balancer: answers from outside go back through the firewall, requests of the load
            # balancer do not, for a task answers it directly and the firewall would see half of a conversation.
            nat_gateway_subnets=ec2.SubnetSelection(subnet_group_name="way-out"),
            restrict_default_security_group=True,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="edge", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="firewall", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=28),
                ec2.SubnetConfiguration(name="tasks", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=22),
                ec2.SubnetConfiguration(name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
                ec2.SubnetConfiguration(
                    name="way-out", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
                ),
                # Of the one program that speaks to hosts nobody knows beforehand (ADR 166).
                ec2.SubnetConfiguration(name="senders", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=27),
            ],
        )
        self.tasks = ec2.SubnetSelection(subnet_group_name="tasks")
        self.senders = ec2.SubnetSelection(subnet_group_name="senders")
        self.data = ec2.SubnetSelection(subnet_group_name="data")
        self._flow_logs(log_key)
        self.groups = self._groups()
        self._endpoints()
        self._firewall()
        subnets = ",".join(one.subnet_id for one in self._subnets("tasks"))
        group = self.groups[OPERATOR].security_group_id
        # What the operator's task is started with.
        CfnOutput(
            self, "OperatorsNetwork", value=f"awsvpcConfiguration={{subnets=[{subnets}],securityGroups=[{group}]}}"
        )

    @property
    def availability_zones(self) -> list[str]:
        """Return the region's first two zones, asked for at deployment and not written down."""
        return [Fn.select(number, Fn.get_azs()) for number in range(2)]

    def _log_group(self, name: str, key: kms.IKey) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            name,
            retention=logs.RetentionDays.ONE_YEAR,
            encryption_key=key,
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _flow_logs(self, key: kms.IKey) -> None:
        self.flow_logs = self._log_group("FlowLogs", key)
        role = iam.Role(self, "FlowLogsRole", assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com"))
        self.vpc.add_flow_log(
            "Flows",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(self.flow_logs, role),
            traffic_type=ec2.FlowLogTrafficType.ALL,
        )

    def _groups(self) -> dict[str, ec2.SecurityGroup]:
        """Return one security group a room; every way between two rooms is written down here."""
        names = ("edge", *ROOMS, OPERATOR, "database", "disk", "endpoints", "collector")
        groups = {
            name: ec2.SecurityGroup(
                self, f"{name.capitalize()}Group", vpc=self.vpc, allow_all_outbound=False, description=f"Room: {name}"
            )
            for name in names
        }
        https, postgres = ec2.Port.tcp(443), ec2.Port.tcp(5432)
        groups["edge"].add_ingress_rule(ec2.Peer.any_ipv4(), https, "Customers, over TLS")
        groups["edge"].add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(80), "Redirected to TLS")
        _open(groups["edge"], groups["web"], ec2.Port.tcp(8443), "Load balancer to web, over TLS")
        for room in (*ROOMS, OPERATOR):
            _open(groups[room], groups["database"], postgres, f"{room} to PostgreSQL, over TLS")
            _open(groups[room], groups["endpoints"], https, f"{room} to AWS, over TLS")
            _open(groups[room], groups["disk"], ec2.Port.tcp(2049), f"{room} to the shared disk, over TLS")
            # A gateway endpoint has no group to name; the layers of our image come this way too.
            buckets = ec2.Peer.prefix_list(self._plan.s3_prefix_list)
            groups[room].add_egress_rule(buckets, https, f"{room} to S3 of this region, over TLS")
        # Whoever runs a Prometheus puts it into this group; nothing is in it by itself.
        for room, port in {"web": 8443, **METRICS}.items():
            _open(groups["collector"], groups[room], ec2.Port.tcp(port), f"Collector asks {room} for its numbers")
        for room in ("web", "duties", OPERATOR):
            groups[room].add_egress_rule(ec2.Peer.any_ipv4(), https, "To the names on the list, through the firewall")
        # Everywhere but our own kind of network, which the firewall would not see.
        for block in _but("10.0.0.0/8"):
            groups[SENDER].add_egress_rule(ec2.Peer.ipv4(block), https, "To customers' endpoints, through the firewall")
        return groups

    def subnets_of(self, room: str) -> ec2.SubnetSelection:
        """Return where a program's tasks run."""
        return self.senders if room == SENDER else self.tasks

    def _endpoints(self) -> None:
        gateway = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        gateway.add_to_policy(
            iam.PolicyStatement(
                principals=[iam.AnyPrincipal()],
                actions=["s3:*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:PrincipalAccount": self.account}},
            )
        )
        # Layers of images come from a bucket of the registry's own.
        gateway.add_to_policy(
            iam.PolicyStatement(
                principals=[iam.AnyPrincipal()],
                actions=["s3:GetObject"],
                resources=[f"arn:aws:s3:::prod-{self.region}-starport-layer-bucket/*"],
            )
        )
        for name, service in (ENDPOINTS | (MACHINE_ENDPOINTS if self._plan.with_gpu else {})).items():
            self.vpc.add_interface_endpoint(
                name, service=service, subnets=self.tasks, security_groups=[self.groups["endpoints"]], open=False
            )

    def _firewall(self) -> None:
        """Stand a firewall between the tasks and the way out, and drop every name that is not on the list."""
        names = firewall.CfnRuleGroup(
            self,
            "WaysOut",
            capacity=100,
            rule_group_name="headshotly-ways-out",
            type="STATEFUL",
            rule_group=firewall.CfnRuleGroup.RuleGroupProperty(
                rules_source=firewall.CfnRuleGroup.RulesSourceProperty(
                    rules_source_list=firewall.CfnRuleGroup.RulesSourceListProperty(
                        generated_rules_type="ALLOWLIST",
                        target_types=["TLS_SNI"],
                        targets=[*WAYS_OUT, *self._plan.names_outside, *self._second_buckets],
                    )
                ),
                stateful_rule_options=firewall.CfnRuleGroup.StatefulRuleOptionsProperty(rule_order="STRICT_ORDER"),
            ),
        )
        watch = firewall.CfnRuleGroup(
            self,
            "Watch",
            capacity=100,
            rule_group_name="headshotly-watch",
            type="STATEFUL",
            rule_group=firewall.CfnRuleGroup.RuleGroupProperty(
                rules_source=firewall.CfnRuleGroup.RulesSourceProperty(rules_string=RULES.read_text(encoding="utf-8")),
                stateful_rule_options=firewall.CfnRuleGroup.StatefulRuleOptionsProperty(rule_order="STRICT_ORDER"),
            ),
        )
        senders = firewall.CfnRuleGroup(
            self,
            "SendersWay",
            capacity=10,
            rule_group_name="headshotly-senders",
            type="STATEFUL",
            rule_group=firewall.CfnRuleGroup.RuleGroupProperty(
                rule_variables=firewall.CfnRuleGroup.RuleVariablesProperty(
                    ip_sets={"SENDERS": {"definition": [one.ipv4_cidr_block for one in self._subnets("senders")]},
                             "INSIDE": {"definition": list(INSIDE)}}
                ),
                rules_source=firewall.CfnRuleGroup.RulesSourceProperty(
                    rules_string=SENDERS_RULES.read_text(encoding="utf-8")
                ),
                stateful_rule_options=firewall.CfnRuleGroup.StatefulRuleOptionsProperty(rule_order="STRICT_ORDER"),
            ),
        )  # fmt: skip
        policy = firewall.CfnFirewallPolicy(
            self,
            "FirewallPolicy",
            firewall_policy_name="headshotly",
            firewall_policy=firewall.CfnFirewallPolicy.FirewallPolicyProperty(
                stateless_default_actions=["aws:forward_to_sfe"],
                stateless_fragment_default_actions=["aws:drop"],
                # These wait for the whole hello: one with keys against quantum computers takes two packets, of which
                # “drop_established” drops the first, and with it every connection of OpenSSL 3.5.
                stateful_default_actions=[
                    "aws:drop_established_app_layer_to_server",
                    "aws:alert_established_app_layer_to_server",
                ],
                stateful_engine_options=firewall.CfnFirewallPolicy.StatefulEngineOptionsProperty(
                    # A connection that was idle for too long is told so, and not left to wait for an answer.
                    rule_order="STRICT_ORDER",
                    stream_exception_policy="REJECT",
                ),
                stateful_rule_group_references=[
                    firewall.CfnFirewallPolicy.StatefulRuleGroupReferenceProperty(
                        resource_arn=group.attr_rule_group_arn, priority=priority
                    )
                    for priority, group in ((10, watch), (20, names), (30, senders))
                ],
            ),
        )
        self.firewalls = [
            self._wall(number, subnet, policy)
            for number, subnet in enumerate(self.vpc.select_subnets(subnet_group_name="firewall").subnets, start=1)
        ]

    def _subnets(self, name: str) -> list[ec2.ISubnet]:
        """Return the subnets of a kind, zone by zone."""
        return list(self.vpc.select_subnets(subnet_group_name=name).subnets)

    def _wall(self, zone: int, subnet: ec2.ISubnet, policy: firewall.CfnFirewallPolicy) -> firewall.CfnFirewall:
        """Return the firewall of one zone, with the routes through it both ways.

        One firewall a zone costs what one firewall with an endpoint in each costs, and only so it is known at
        deployment which endpoint lies in which zone.
        """
        wall = firewall.CfnFirewall(
            self,
            f"Firewall{zone}",
            firewall_name=f"headshotly-{zone}",
            firewall_policy_arn=policy.attr_firewall_policy_arn,
            vpc_id=self.vpc.vpc_id,
            subnet_mappings=[firewall.CfnFirewall.SubnetMappingProperty(subnet_id=subnet.subnet_id)],
            delete_protection=True,
            subnet_change_protection=True,
            firewall_policy_change_protection=True,
        )
        endpoint = Fn.select(1, Fn.split(":", Fn.select(0, wall.attr_endpoint_ids)))
        tasks, senders, way_out = (self._subnets(name)[zone - 1] for name in ("tasks", "senders", "way-out"))
        for name, where, destination in (
            ("Out", tasks, "0.0.0.0/0"),  # from the tasks to the firewall, whose subnet leads on to the NAT
            ("Back", way_out, tasks.ipv4_cidr_block),  # and answers the same way
            ("SendersOut", senders, "0.0.0.0/0"),
            ("SendersBack", way_out, senders.ipv4_cidr_block),
        ):
            ec2.CfnRoute(
                self,
                f"{name}{zone}",
                route_table_id=where.route_table.route_table_id,
                destination_cidr_block=destination,
                vpc_endpoint_id=endpoint,
            )
        return wall


def _but(block: str) -> list[str]:
    """Return the addresses of version 4 without a block, as blocks."""
    everything = ipaddress.ip_network("0.0.0.0/0")
    return [str(one) for one in sorted(everything.address_exclude(ipaddress.ip_network(block)))]


def _open(source: ec2.SecurityGroup, target: ec2.SecurityGroup, port: ec2.Port, why: str) -> None:
    source.add_egress_rule(target, port, why)
    target.add_ingress_rule(source, port, why)
