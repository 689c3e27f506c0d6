"""The running service: web behind the load balancer, and the programs behind it (2.1, 2.4, 3.1, 4.1)."""

from typing import cast

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_applicationautoscaling as scaling_rules
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as balancing
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ses as ses
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from headshotly_infra.data import OWNER, Data
from headshotly_infra.disk import ACCOUNT
from headshotly_infra.keys import OPERATOR, Keys
from headshotly_infra.network import METRICS, Network
from headshotly_infra.plan import GPU_MACHINES, Plan

# room → (command, CPU units, MiB, least tasks)
TASKS: dict[str, tuple[list[str], int, int, int]] = {
    "web": (["headshotly", "serve", "web", "--listen", "0.0.0.0"], 1024, 2048, 2),
    "worker": (["headshotly", "worker"], 2048, 4096, 2),
    "sequencer": (["headshotly", "sequencer"], 512, 1024, 1),
    "detector": (["headshotly", "detector"], 1024, 2048, 1),
    # What customers' endpoints are told is the sender's alone, whose network lets it out to them.
    "duties": (["headshotly", "duties", "run", "--but", "integrations.deliver"], 512, 2048, 1),
    "sender": (["headshotly", "sender"], 256, 1024, 1),
}
MANAGED_RULES = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet",
                 "AWSManagedRulesSQLiRuleSet", "AWSManagedRulesAmazonIpReputationList")  # fmt: skip
WRITERS = ("web", "worker", "duties", "detector")  # of mails
CASHIERS = ("web", "duties")  # speak to the payment service
# How long the load balancer keeps a connection without a request; the programs behind it keep it longer.
IDLE_SECONDS = 60
# A new web task mounts two folders and loads every room before it answers.
GRACE_SECONDS = 180
NOBODY = f"{ACCOUNT}:{ACCOUNT}"
# Orders that wait → workers added. A worker ends when the processors are idle: the largest number asked for counts.
MORE_WORKERS = {40: 2, 200: 5, 1000: 10}
# Rules that look at the beginning of a body → the label by which they tell. A photo's first bytes hold compressed
# data and XMP, which is markup: there they would refuse customers' photos. So they count, and the rule “bodies” blocks.
_CORE, _BAD, _SQL = "core-rule-set", "known-bad-inputs", "sql-database"
BODY_RULES: dict[str, dict[str, str]] = {
    "AWSManagedRulesCommonRuleSet": {
        "CrossSiteScripting_BODY": f"{_CORE}:CrossSiteScripting_Body",
        "GenericLFI_BODY": f"{_CORE}:GenericLFI_Body",
        "GenericRFI_BODY": f"{_CORE}:GenericRFI_Body",
        "EC2MetaDataSSRF_BODY": f"{_CORE}:EC2MetaDataSSRF_Body",
    },
    "AWSManagedRulesKnownBadInputsRuleSet": {
        "JavaDeserializationRCE_BODY": f"{_BAD}:JavaDeserializationRCE_Body",
        "Log4JRCE_BODY": f"{_BAD}:Log4JRCE_Body",
    },
    "AWSManagedRulesSQLiRuleSet": {
        "SQLi_BODY": f"{_SQL}:SQLi_Body",
        "SQLiExtendedPatterns_BODY": f"{_SQL}:SQLiExtendedPatterns_Body",
    },
}
# Photos are larger than this rule's limit everywhere; the service bounds bodies itself, before reading.
NEVER = {"AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",)}
# Where photos and files come in: the studio, the API, papers of cases and breaches, reports of findings.
UPLOADS = (r"^/studio/upload/$", r"^/api/v1/photos$", r"^/staff/(incidents|findings)/")


def _bad_body_elsewhere() -> waf.CfnWebACL.StatementProperty:
    """Return what is true of a request with a bad body that goes where no files are taken."""
    one = waf.CfnWebACL.StatementProperty
    labels = [
        one(
            label_match_statement=waf.CfnWebACL.LabelMatchStatementProperty(
                scope="LABEL", key=f"awswaf:managed:aws:{key}"
            )
        )
        for rules in BODY_RULES.values()
        for key in rules.values()
    ]
    uploads = [
        one(
            regex_match_statement=waf.CfnWebACL.RegexMatchStatementProperty(
                field_to_match=waf.CfnWebACL.FieldToMatchProperty(uri_path={}),
                regex_string=pattern,
                # The path as it came: what is written otherwise is no place where files are taken.
                text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
            )
        )
        for pattern in UPLOADS
    ]
    elsewhere = one(not_statement=waf.CfnWebACL.NotStatementProperty(
        statement=one(or_statement=waf.CfnWebACL.OrStatementProperty(statements=uploads))
    ))  # fmt: skip
    bad = one(or_statement=waf.CfnWebACL.OrStatementProperty(statements=labels))
    return one(and_statement=waf.CfnWebACL.AndStatementProperty(statements=[bad, elsewhere]))


class Service(Stack):
    """Tasks that run as nobody on a read-only disk, and the one door to them."""

    def __init__(
        self, scope: Construct, name: str, *, plan: Plan, network: Network, keys: Keys, data: Data, **given: object
    ) -> None:
        """Make the cluster, its services, the load balancer and its web application firewall.

        Args:
            scope: the app.
            name: of the stack.
            plan: this deployment.
            network: where the tasks run.
            keys: whose roles they take.
            data: what they use.
            given: what ``Stack`` takes.
        """
        super().__init__(scope, name, **given)  # type: ignore[arg-type]
        self._plan, self._network, self._keys, self._data = plan, network, keys, data
        self.cluster = ecs.Cluster(
            self, "Cluster", vpc=network.vpc, container_insights_v2=ecs.ContainerInsights.ENABLED
        )
        self._execution = self._execution_role()
        self._mail()
        self.services = {room: self._service(room) for room in TASKS}
        if plan.with_gpu:
            self._gpu_worker()
        self.operator = self._operator()
        self.balancer = self._balancer()
        self._firewall()
        self._tell()

    def _tell(self) -> None:
        """Say what people need after a deployment: where the domain points to, and how the operator's task starts."""
        CfnOutput(self, "PointTheDomainTo", value=self.balancer.load_balancer_dns_name)
        CfnOutput(
            self,
            "StartTheOperatorsTask",
            value=f"aws ecs run-task --cluster {self.cluster.cluster_name} --task-definition {self.operator.family} "
            "--launch-type FARGATE --network-configuration OperatorsNetwork --overrides …",
        )

    def _execution_role(self) -> iam.Role:
        """Return the role that starts tasks: it reads our image and writes logs, nothing else."""
        role = iam.Role(self, "Execution", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        # The registry's sign-in has no resource to name.
        role.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
        return role

    def _mail(self) -> None:
        """Let SES send for our domain, signed (DKIM), over TLS or not at all, and only for tasks that write mails."""
        through = ses.ConfigurationSet(
            self,
            "Mail",
            configuration_set_name="headshotly",
            tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE,
            reputation_metrics=True,
            suppression_reasons=ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
        )
        domain = self._plan.mail_domain
        ses.EmailIdentity(
            self,
            "MailIdentity",
            identity=ses.Identity.domain(domain),
            configuration_set=through,
            mail_from_domain=f"bounces.{domain}",
        )
        here = f"arn:aws:ses:{self.region}:{self.account}"
        statement = iam.PolicyStatement(
            actions=["ses:SendEmail", "ses:SendRawEmail"],
            resources=[f"{here}:identity/{domain}", f"{here}:configuration-set/headshotly"],
        )
        iam.Policy(self, "MayMail", statements=[statement], roles=[self._keys.roles[room] for room in WRITERS])

    def _image(self) -> ecs.ContainerImage:
        repository, _, digest = self._plan.image.partition("@")
        name = repository.partition("/")[2]
        found = ecr.Repository.from_repository_name(self, f"Image{len(self.node.children)}", name)
        found.grant_pull(self._execution)
        return ecs.ContainerImage.from_ecr_repository(found, digest)

    def _surroundings(self, room: str) -> dict[str, str]:
        """Return what a task is told; no secret is among it, since databases, KMS and S3 know the task's role."""
        database = self._data.database.cluster_endpoint.hostname
        user = OWNER if room == OPERATOR else room
        return {
            "HEADSHOTLY_ENVIRONMENT": "production",
            # The disk of all tasks; whoever may not touch a key has no such folder, and fails rather than make another.
            "HEADSHOTLY_DATA": "/shared",
            "HEADSHOTLY_OPTION_JOURNAL__KEY_FILE": "/journal/journal-key",
            "HEADSHOTLY_OPTION_CREDENTIALS__FOLDER": "/pictures",
            "HEADSHOTLY_OPTION_DISCLOSURE__KEY_FILE": "/disclosure/security-txt-key.asc",
            "HEADSHOTLY_OPTION_METRICS__FOLDER": "/data/metrics",  # counted in memory that only one machine has
            "HEADSHOTLY_URL": f"https://{self._plan.domain}",
            "HEADSHOTLY_DATABASE_URL": f"postgresql://{user}@{database}/headshotly",
            "HEADSHOTLY_KEYS_DATABASE_URL": (
                f"postgresql://{user}@{self._data.key_store.cluster_endpoint.hostname}/headshotly_keys"
            ),
            # Amazon's own authority vouches for its databases; the image brings it (build argument RDS_CA).
            "HEADSHOTLY_OPTION_DATABASE__CA_FILE": "/app/rds-ca.pem",
            "HEADSHOTLY_OPTION_DATABASE__REGION": self.region,
            # The owner has a password that AWS keeps; every program signs in by its task's role.
            **({} if room == OPERATOR else {"HEADSHOTLY_OPTION_DATABASE__SIGN_IN": "aws-iam"}),
            **(
                {"HEADSHOTLY_OPTION_DRILL__DATABASE_URL": f"postgresql://drill@{database}/postgres"}
                if room == "duties"
                else {}
            ),
            # Heard by the security group “collector” alone.
            **({"HEADSHOTLY_OPTION_METRICS__LISTEN": "0.0.0.0"} if room in METRICS else {}),
            "HEADSHOTLY_KEY_SERVICE": "aws-kms",
            "HEADSHOTLY_OBJECT_STORE": "s3",
            "HEADSHOTLY_KEY_STORE": "database",
            "HEADSHOTLY_OPTION_S3__BUCKET": self._data.buckets["objects"].bucket_name,
            "HEADSHOTLY_OPTION_S3__REGION": self.region,
            "HEADSHOTLY_OPTION_KMS__REGION": self.region,
            "HEADSHOTLY_OPTION_KMS__ALIAS": "alias/headshotly/root",
            "HEADSHOTLY_OPTION_BACKUP__STORES": self._data.backup_stores,
            "HEADSHOTLY_OPTION_BACKUP__KEY_ALIAS": "alias/headshotly/backup",
            # Its endpoints lie in our own network, and the guarded process goes to no inner address unasked.
            "HEADSHOTLY_OPTION_VENDORS__PRIVATE": "aws",
            "HEADSHOTLY_OPTION_MAIL__WAY": "ses",
            "HEADSHOTLY_OPTION_MAIL__SES__REGION": self.region,
            "HEADSHOTLY_OPTION_WITNESS__BUCKET": self._data.buckets["witness"].bucket_name,
            "HEADSHOTLY_OPTION_WITNESS__REGION": self.region,
            "HEADSHOTLY_OPTION_QUEUE__ENGINE": "sqs",
            "HEADSHOTLY_OPTION_QUEUE__URL": self._data.queue.queue_url,
            "HEADSHOTLY_OPTION_QUEUE__DEAD_URL": self._data.dead_letters.queue_url,
            "HEADSHOTLY_OPTION_QUEUE__REGION": self.region,
            **(self._watched() if room == "detector" else {}),
            # The load balancer's own networks: only there may somebody say whose request it is.
            "HEADSHOTLY_OPTION_PROXIES__TRUSTED": ",".join(
                subnet.ipv4_cidr_block for subnet in self._network.vpc.select_subnets(subnet_group_name="edge").subnets
            ),
            # What the senders' network lets out; an endpoint at another port is refused when it is registered.
            "HEADSHOTLY_OPTION_WEBHOOKS__PORT": "443",
            "AWS_USE_FIPS_ENDPOINT": "false",
            **({"HEADSHOTLY_OPTION_WEB__KEEPALIVE_SECONDS": str(IDLE_SECONDS + 15)} if room == "web" else {}),
            # The role “web” sees one customer's rows at a time; the others work for everybody (ADR 152).
            **({"HEADSHOTLY_OPTION_DATABASE__ROW_SCOPE": "yes"} if room == "web" else {}),
        }

    def _watched(self) -> dict[str, str]:
        """Return where the detector hears of the trail, of findings and of the network's traffic."""
        queues = {
            f"HEADSHOTLY_OPTION_STREAM__{name.upper()}__QUEUE": queue.queue_url
            for name, queue in self._data.notices.items()
        }
        return {"HEADSHOTLY_OPTION_STREAM__REGION": self.region, **queues}

    def _payments(self) -> dict[str, ecs.Secret] | None:
        """Return what signs in to the payment service, and tells its messages from forged ones."""
        if not self._plan.stripe_secret:
            return None
        found = self.node.try_find_child("Stripe")
        secret = cast("secretsmanager.ISecret", found) if found else secretsmanager.Secret.from_secret_complete_arn(
            self, "Stripe", self._plan.stripe_secret
        )  # fmt: skip
        return {
            f"HEADSHOTLY_OPTION_STRIPE__{field.upper()}": ecs.Secret.from_secrets_manager(secret, field)
            for field in ("secret_key", "webhook_secret")
        }

    def _operator(self) -> ecs.FargateTaskDefinition:
        """Make the task that no service runs: people start it, each start is told, and it has the owner's password.

        Whoever is given the policy “HeadShotlyOperators” may start it, signed in with a second factor, and change its
        command: ``headshotly manage migrate``, ``database roles --apply``, ``keys rotate``, ``restore``.
        """
        execution = iam.Role(self, "OperatorExecution", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        execution.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
        execution.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt"],
                resources=[self._keys.keys["data"].key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{self.region}.amazonaws.com"}},
            )
        )
        task = ecs.FargateTaskDefinition(
            self, "OperatorDefinition", family="HeadShotlyOperator", cpu=1024, memory_limit_mib=4096,
            task_role=self._keys.roles[OPERATOR], execution_role=execution,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.X86_64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
        )  # fmt: skip
        owners = {"DATABASE": self._data.database, "KEYS_DATABASE": self._data.key_store}
        self._container(
            task,
            OPERATOR,
            secrets={
                f"HEADSHOTLY_{name}_PASSWORD": ecs.Secret.from_secrets_manager(
                    self._data.owner_password(cluster), "password"
                )
                for name, cluster in owners.items()
            },
        )
        with_second_factor = {
            "Bool": {"aws:MultiFactorAuthPresent": "true"},
            "ArnEquals": {"ecs:cluster": self.cluster.cluster_arn},
        }
        family = f"arn:aws:ecs:{self.region}:{self.account}:task-definition/HeadShotlyOperator:*"
        iam.ManagedPolicy(
            self,
            "Operators",
            managed_policy_name="HeadShotlyOperators",
            description="May start the operator's task; give it to people, for as long as they need it",
            statements=[
                iam.PolicyStatement(actions=["ecs:RunTask"], resources=[family], conditions=with_second_factor),
                iam.PolicyStatement(
                    actions=["iam:PassRole"],
                    resources=[self._keys.roles[OPERATOR].role_arn, execution.role_arn],
                    conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
                ),
            ],
        )
        return task

    def _container(
        self, task: ecs.TaskDefinition, room: str, *, gpu: int | None = None,
        secrets: dict[str, ecs.Secret] | None = None,
    ) -> None:  # fmt: skip
        command, _, memory, _ = TASKS.get(room, (["headshotly", "--help"], 0, 0, 0))
        group = logs.LogGroup(
            self,
            f"{room.capitalize()}{'Gpu' if gpu else ''}Log",
            retention=logs.RetentionDays.ONE_YEAR,
            encryption_key=self._keys.keys["logs"],
            removal_policy=RemovalPolicy.RETAIN,
        )
        container = task.add_container(
            room,
            image=self._image(),
            command=command,
            environment=self._surroundings(room),
            secrets=secrets,
            logging=ecs.LogDrivers.aws_logs(stream_prefix=room, log_group=group),
            readonly_root_filesystem=True,
            user=NOBODY,
            gpu_count=gpu,
            memory_limit_mib=memory if gpu else None,
            stop_timeout=Duration.seconds(100),
            port_mappings=[ecs.PortMapping(container_port=8443)] if room == "web" else None,
        )
        # Scratch space for the decoder's process and for temporary names; nothing of a customer's is written there.
        task.add_volume(name="scratch")
        container.add_mount_points(ecs.MountPoint(container_path="/data", source_volume="scratch", read_only=False))
        self._mount(task, container, room)

    def _mount(self, task: ecs.TaskDefinition, container: ecs.ContainerDefinition, room: str) -> None:
        """Mount each folder of the shared disk that the room may use, over TLS and as the task's role."""
        disk = self._data.disk
        for folder, point in disk.points[room].items():
            task.add_volume(
                name=folder,
                efs_volume_configuration=ecs.EfsVolumeConfiguration(
                    file_system_id=disk.system.attr_file_system_id,
                    transit_encryption="ENABLED",
                    authorization_config=ecs.AuthorizationConfig(
                        access_point_id=point.attr_access_point_id, iam="ENABLED"
                    ),
                ),
            )
            container.add_mount_points(
                ecs.MountPoint(
                    container_path=f"/{folder}", source_volume=folder, read_only=not disk.may_write(room, folder)
                )
            )

    def _service(self, room: str) -> ecs.FargateService:
        _, cpu, memory, least = TASKS[room]
        task = ecs.FargateTaskDefinition(
            self,
            f"{room.capitalize()}Definition",
            cpu=cpu,
            memory_limit_mib=memory,
            task_role=self._keys.roles[room],
            execution_role=self._execution,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.X86_64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
        )
        self._container(task, room, secrets=self._payments() if room in CASHIERS else None)
        grows = {"web": self._plan.web_max, "worker": self._plan.worker_max}.get(room)
        # Programs that find no tables never become ready, and the first deployment would be taken back.
        grows, least = (None, 0) if self._plan.founding else (grows, least)
        service = ecs.FargateService(
            self,
            room.capitalize(),
            cluster=self.cluster,
            task_definition=task,
            # How many there are now is autoscaling's; a release that named a number would take the others away.
            desired_count=None if grows else least,
            min_healthy_percent=100 if TASKS[room][3] > 1 else 0,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            health_check_grace_period=Duration.seconds(GRACE_SECONDS) if room == "web" else None,
            security_groups=[self._network.groups[room]],
            vpc_subnets=self._network.subnets_of(room),
            enable_execute_command=False,
        )
        if grows:
            scaling = service.auto_scale_task_count(min_capacity=least, max_capacity=grows)
        if room == "web" and grows:
            scaling.scale_on_cpu_utilization("WebCpu", target_utilization_percent=55)
        if room == "worker" and grows:
            scaling.scale_on_cpu_utilization("WorkerCpu", target_utilization_percent=60)
            scaling.scale_on_metric(
                "WorkerQueue",
                metric=self._data.queue.metric_approximate_number_of_messages_visible(
                    period=Duration.minutes(1), statistic="Maximum"
                ),
                scaling_steps=[
                    scaling_rules.ScalingInterval(lower=waiting, change=more) for waiting, more in MORE_WORKERS.items()
                ],
                adjustment_type=scaling_rules.AdjustmentType.CHANGE_IN_CAPACITY,
                evaluation_periods=2,
                cooldown=Duration.minutes(2),
            )
        return service

    def _gpu_worker(self) -> None:
        """Add workers with a GPU for the generative engine; its weights come with the operator's own image."""
        from aws_cdk import aws_autoscaling as autoscaling

        template = ec2.LaunchTemplate(
            self,
            "GpuTemplate",
            instance_type=ec2.InstanceType("g6.xlarge"),
            machine_image=ecs.EcsOptimizedImage.amazon_linux2023(ecs.AmiHardwareType.GPU),
            security_group=self._network.groups["worker"],
            require_imdsv2=True,
            user_data=ec2.UserData.for_linux(),
            role=iam.Role(
                self,
                "GpuMachine",
                assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
                managed_policies=[
                    iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonEC2ContainerServiceforEC2Role")
                ],
            ),
            block_devices=[
                ec2.BlockDevice(device_name="/dev/xvda", volume=ec2.BlockDeviceVolume.ebs(200, encrypted=True))
            ],
        )
        group = autoscaling.AutoScalingGroup(
            self,
            "GpuMachines",
            vpc=self._network.vpc,
            vpc_subnets=self._network.tasks,
            launch_template=template,
            min_capacity=0,
            max_capacity=GPU_MACHINES,
        )
        provider = ecs.AsgCapacityProvider(self, "GpuProvider", auto_scaling_group=group)
        self.cluster.add_asg_capacity_provider(provider)
        task = ecs.Ec2TaskDefinition(
            self, "GpuDefinition", task_role=self._keys.roles["worker"], execution_role=self._execution,
            network_mode=ecs.NetworkMode.AWS_VPC,
        )  # fmt: skip
        self._container(task, "worker", gpu=1)
        ecs.Ec2Service(
            self,
            "GpuWorker",
            cluster=self.cluster,
            task_definition=task,
            # As the plan says: a number changed by hand would be gone with the next release.
            desired_count=0 if self._plan.founding else self._plan.gpu_workers,
            min_healthy_percent=0,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            security_groups=[self._network.groups["worker"]],
            vpc_subnets=self._network.tasks,
            capacity_provider_strategies=[
                ecs.CapacityProviderStrategy(capacity_provider=provider.capacity_provider_name, weight=1)
            ],
        )

    def _balancer(self) -> balancing.ApplicationLoadBalancer:
        balancer = balancing.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=self._network.vpc,
            internet_facing=True,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="edge"),
            security_group=self._network.groups["edge"],
            drop_invalid_header_fields=True,
            desync_mitigation_mode=balancing.DesyncMitigationMode.STRICTEST,
            deletion_protection=True,
            idle_timeout=Duration.seconds(IDLE_SECONDS),
        )
        balancer.log_access_logs(self._data.access_logs, "balancer")
        balancer.add_listener(
            "Plain",
            port=80,
            open=False,
            default_action=balancing.ListenerAction.redirect(protocol="HTTPS", port="443", permanent=True),
        )
        secure = balancer.add_listener(
            "Secure",
            port=443,
            open=False,
            protocol=balancing.ApplicationProtocol.HTTPS,
            ssl_policy=balancing.SslPolicy.TLS13_RES,  # TLS 1.2 and 1.3, forward secrecy only
            certificates=[acm.Certificate.from_certificate_arn(self, "Certificate", self._plan.certificate)],
        )
        self.web_targets = secure.add_targets(
            "Web",
            port=8443,
            protocol=balancing.ApplicationProtocol.HTTPS,
            targets=[self.services["web"]],
            deregistration_delay=Duration.seconds(60),
            health_check=balancing.HealthCheck(
                path="/readyz", protocol=balancing.Protocol.HTTPS, interval=Duration.seconds(10)
            ),
        )
        return balancer

    def _firewall(self) -> None:
        """Stand AWS's managed rules and a limit per address before the load balancer."""
        seen = {"cloud_watch_metrics_enabled": True, "sampled_requests_enabled": False}
        rules = [
            waf.CfnWebACL.RuleProperty(
                name=rule,
                priority=priority,
                override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
                statement=waf.CfnWebACL.StatementProperty(
                    managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                        vendor_name="AWS",
                        name=rule,
                        rule_action_overrides=[
                            waf.CfnWebACL.RuleActionOverrideProperty(
                                name=one, action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
                            )
                            for one in (*BODY_RULES.get(rule, {}), *NEVER.get(rule, ()))
                        ]
                        or None,
                    )
                ),
                visibility_config=waf.CfnWebACL.VisibilityConfigProperty(metric_name=rule, **seen),
            )
            for priority, rule in enumerate(MANAGED_RULES, start=10)
        ]
        rules.append(
            waf.CfnWebACL.RuleProperty(
                name="bodies",
                priority=20,
                action=waf.CfnWebACL.RuleActionProperty(block={}),
                statement=_bad_body_elsewhere(),
                visibility_config=waf.CfnWebACL.VisibilityConfigProperty(metric_name="bodies", **seen),
            )
        )
        rules.append(
            waf.CfnWebACL.RuleProperty(
                name="rate",
                priority=1,
                action=waf.CfnWebACL.RuleActionProperty(block={}),
                statement=waf.CfnWebACL.StatementProperty(
                    rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(aggregate_key_type="IP", limit=3000)
                ),
                visibility_config=waf.CfnWebACL.VisibilityConfigProperty(metric_name="rate", **seen),
            )
        )
        acl = waf.CfnWebACL(
            self,
            "Waf",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=waf.CfnWebACL.VisibilityConfigProperty(metric_name="waf", **seen),
            rules=rules,
        )
        waf.CfnWebACLAssociation(
            self, "WafAtTheDoor", resource_arn=self.balancer.load_balancer_arn, web_acl_arn=acl.attr_arn
        )
