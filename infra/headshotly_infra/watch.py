"""What is seen, kept, and told: trail, threat detection, configuration record, backups, alarms, budget (6, 8)."""

from typing import cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_backup as backup
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_config as config
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as balancing
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_guardduty as guardduty
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_networkfirewall as firewall
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from headshotly_infra.alarm_topic import topic_of_alarms
from headshotly_infra.data import Data, copying
from headshotly_infra.keys import Keys
from headshotly_infra.network import Network
from headshotly_infra.plan import Plan
from headshotly_infra.service import Service

CONFIG_RULES = ("ENCRYPTED_VOLUMES", "RDS_STORAGE_ENCRYPTED", "RDS_INSTANCE_PUBLIC_ACCESS_CHECK",
                "S3_BUCKET_PUBLIC_READ_PROHIBITED", "S3_BUCKET_PUBLIC_WRITE_PROHIBITED", "S3_BUCKET_SSL_REQUESTS_ONLY",
                "ROOT_ACCOUNT_MFA_ENABLED", "IAM_USER_MFA_ENABLED", "CMK_BACKING_KEY_ROTATION_ENABLED",
                "EFS_ENCRYPTED_CHECK", "EFS_ACCESS_POINT_ENFORCE_USER_IDENTITY",
                "EFS_ACCESS_POINT_ENFORCE_ROOT_DIRECTORY", "VPC_FLOW_LOGS_ENABLED",
                "CLOUD_TRAIL_ENABLED", "GUARDDUTY_ENABLED_CENTRALIZED")  # fmt: skip
KEPT_DAYS = 400
GRAVE = 7  # severity of a finding, from which GuardDuty calls it high


class Watch(Stack):
    """Everything that looks on. The service's own SIEM reads the trail, the findings and the flow logs."""

    def __init__(
        self, scope: Construct, name: str, *, plan: Plan, network: Network, keys: Keys, data: Data, service: Service,
        **given: object,
    ) -> None:  # fmt: skip
        """Make the trail, the detectors, the backup plan, the alarms and the budget.

        Args:
            scope: the app.
            name: of the stack.
            plan: this deployment.
            network: whose traffic is read.
            keys: for logs and topics.
            data: what is backed up and watched, and the queues by which the detector hears of it.
            service: what is watched.
            given: what ``Stack`` takes.
        """
        super().__init__(scope, name, **given)  # type: ignore[arg-type]
        self._plan, self._keys, self._data, self._service = plan, keys, data, service
        self._told: dict[str, list[s3.CfnBucket.QueueConfigurationProperty]] = {}  # by bucket
        self.locked = self._bucket("Locked", locked_days=KEPT_DAYS)
        self.records = self._bucket("Records", expires=KEPT_DAYS)
        self.topic = self._topic()
        self._trail()
        self._logs_into_records()
        self._flows(network.vpc)
        self._firewall_alerts(network)
        guardduty.CfnDetector(self, "GuardDuty", enable=True, finding_publishing_frequency="FIFTEEN_MINUTES")
        self._findings()
        self._configuration()
        self._backups()
        self._alarms()
        self._tell_of_operators()
        self._budget()

    def _bucket(self, name: str, *, locked_days: int = 0, expires: int = 0) -> s3.Bucket:
        """Return a bucket for logs: locked, or, where what writes to it takes no lock (Config), emptied in time."""
        return s3.Bucket(
            self,
            name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._keys.keys["logs"],
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=bool(locked_days),
            object_lock_enabled=bool(locked_days),
            object_lock_default_retention=s3.ObjectLockRetention.compliance(Duration.days(locked_days))
            if locked_days
            else None,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(expires))] if expires else None,
            server_access_logs_bucket=self._data.access_logs,
            server_access_logs_prefix=f"s3/{name.lower()}/",
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _tell_the_detector(self, bucket: s3.Bucket, source: str, beginning: str) -> None:
        """Let the detector hear of each new file whose name begins so, and read it."""
        plain = cast("s3.CfnBucket", bucket.node.default_child)
        beginning_alone = s3.CfnBucket.FilterRuleProperty(name="prefix", value=beginning)
        told = self._told.setdefault(bucket.node.id, [])
        told.append(
            s3.CfnBucket.QueueConfigurationProperty(
                event="s3:ObjectCreated:*",
                queue=self._data.notices[source].queue_arn,
                filter=s3.CfnBucket.NotificationFilterProperty(
                    s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[beginning_alone])
                ),
            )
        )
        plain.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(queue_configurations=told)
        statements = [
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[bucket.arn_for_objects(f"{beginning}*")]),
            iam.PolicyStatement(actions=["kms:Decrypt"], resources=[self._keys.keys["logs"].key_arn]),
        ]
        iam.Policy(
            self,
            f"MayRead{source.title().replace('-', '')}",
            statements=statements,
            roles=[self._keys.roles["detector"]],
        )

    def _logs_into_records(self) -> None:
        """Let the delivery of logs write what flows and the firewall tell into the bucket, for this account alone."""
        there = [self.records.arn_for_objects(f"{one}/AWSLogs/{self.account}/*") for one in ("flows", "firewall")]
        ours = {
            "StringEquals": {"aws:SourceAccount": self.account},
            "ArnLike": {"aws:SourceArn": f"arn:aws:logs:{self.region}:{self.account}:*"},
        }
        for acts, on, more in (
            (["s3:PutObject"], there, {"s3:x-amz-acl": "bucket-owner-full-control"}),
            (["s3:GetBucketAcl", "s3:ListBucket"], [self.records.bucket_arn], {}),
        ):
            self.records.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
                    actions=acts,
                    resources=on,
                    conditions={**ours, "StringEquals": {**ours["StringEquals"], **more}},
                )
            )

    def _firewall_alerts(self, network: Network) -> None:
        """Lay what the firewalls told of and dropped into a bucket, whose files the detector reads as they come."""
        for zone, wall in enumerate(network.firewalls, start=1):
            told = firewall.CfnLoggingConfiguration(
                self,
                f"FirewallLog{zone}",
                firewall_arn=wall.attr_firewall_arn,
                logging_configuration=firewall.CfnLoggingConfiguration.LoggingConfigurationProperty(
                    log_destination_configs=[
                        firewall.CfnLoggingConfiguration.LogDestinationConfigProperty(
                            log_destination={"bucketName": self.records.bucket_name, "prefix": "firewall"},
                            log_destination_type="S3",
                            log_type="ALERT",
                        )
                    ]
                ),
            )
            told.node.add_dependency(self.records)
        self._tell_the_detector(self.records, "network-firewall", f"firewall/AWSLogs/{self.account}/")

    def _flows(self, vpc: ec2.IVpc) -> None:
        """Lay refused traffic into a bucket too: the network's own log group has all of it, for people who search."""
        flows = ec2.CfnFlowLog(
            self,
            "Flows",
            resource_id=vpc.vpc_id,
            resource_type="VPC",
            # Each record becomes an event in the database; rules look at what was refused.
            traffic_type="REJECT",
            log_destination_type="s3",
            log_destination=self.records.arn_for_objects("flows/"),
        )
        flows.node.add_dependency(self.records)
        self._tell_the_detector(self.records, "vpc-flow", f"flows/AWSLogs/{self.account}/")

    def _findings(self) -> None:
        """Hand every finding of GuardDuty to the detector, and tell people of grave ones without it."""
        queue = sqs.Queue.from_queue_arn(self, "NoticesOfFindings", self._data.notices["guardduty"].queue_arn)
        found = events.EventPattern(source=["aws.guardduty"], detail_type=["GuardDuty Finding"])
        events.Rule(self, "Finding", event_pattern=found, targets=[targets.SqsQueue(queue)])
        grave = events.EventPattern(
            source=["aws.guardduty"],
            detail_type=["GuardDuty Finding"],
            detail={"severity": [{"numeric": [">=", GRAVE]}]},
        )
        events.Rule(self, "GraveFinding", event_pattern=grave, targets=[targets.SnsTopic(self.topic)])

    def _trail(self) -> None:
        group = logs.LogGroup(
            self,
            "TrailLog",
            retention=logs.RetentionDays.ONE_YEAR,
            encryption_key=self._keys.keys["logs"],
            removal_policy=RemovalPolicy.RETAIN,
        )
        trail = cloudtrail.Trail(
            self,
            "Trail",
            bucket=self.locked,
            encryption_key=self._keys.keys["logs"],
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_file_validation=True,
            send_to_cloud_watch_logs=True,
            cloud_watch_log_group=group,
        )
        trail.add_s3_event_selector([cloudtrail.S3EventSelector(bucket=self._data.buckets["objects"])])
        self._tell_the_detector(self.locked, "cloudtrail", f"AWSLogs/{self.account}/CloudTrail/")

    def _configuration(self) -> None:
        role = iam.Role(
            self,
            "ConfigRole",
            assumed_by=iam.ServicePrincipal("config.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWS_ConfigRole")],
        )
        # Config delivers into no bucket that locks by itself; what it records is in the trail as well.
        self.records.grant_put(role, "config/*")
        self.records.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("config.amazonaws.com")],
                actions=["s3:GetBucketAcl", "s3:ListBucket"],
                resources=[self.records.bucket_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        recorder = config.CfnConfigurationRecorder(
            self,
            "Recorder",
            role_arn=role.role_arn,
            recording_group=config.CfnConfigurationRecorder.RecordingGroupProperty(
                all_supported=True, include_global_resource_types=True
            ),
        )
        channel = config.CfnDeliveryChannel(
            self, "Channel", s3_bucket_name=self.records.bucket_name, s3_key_prefix="config"
        )
        for identifier in CONFIG_RULES:
            rule = config.ManagedRule(self, identifier.title().replace("_", ""), identifier=identifier)
            rule.node.add_dependency(recorder)
            rule.node.add_dependency(channel)

    def _backups(self) -> None:
        """Let AWS back the main cluster up as well; never the key store, or a deleted customer would come back."""
        self.vault = vault = backup.BackupVault(
            self,
            "Vault",
            encryption_key=self._keys.keys["data"],
            lock_configuration=backup.LockConfiguration(
                min_retention=Duration.days(7), max_retention=Duration.days(35), changeable_for=Duration.days(3)
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )
        plan = backup.BackupPlan(self, "BackupPlan", backup_vault=vault)
        plan.add_rule(
            backup.BackupPlanRule(
                rule_name="daily",
                schedule_expression=events.Schedule.cron(hour="2", minute="15"),
                delete_after=Duration.days(35),
                start_window=Duration.hours(1),
                completion_window=Duration.hours(4),
            )
        )
        plan.add_selection(
            "Main", resources=[backup.BackupResource.from_rds_database_cluster(self._data.database)],
            allow_restores=False,
        )  # fmt: skip
        failed = events.EventPattern(
            source=["aws.backup"],
            detail_type=["Backup Job State Change"],
            detail={"state": ["FAILED", "ABORTED", "EXPIRED", "PARTIAL"]},
        )
        events.Rule(self, "BackupFailed", event_pattern=failed, targets=[targets.SnsTopic(self.topic)])

    def _topic(self) -> sns.Topic:
        return topic_of_alarms(self, self._keys.keys["data"], self._plan.alarm_mail)

    def _alarms(self) -> None:
        balancer, data = self._service.balancer, self._data
        several = {"evaluation_periods": 3, "datapoints_to_alarm": 2}
        alarms = {
            "ServerErrors": balancer.metrics.http_code_target(
                balancing.HttpCodeTarget.TARGET_5XX_COUNT, period=Duration.minutes(5), statistic="Sum"
            ).create_alarm(self, "ServerErrors", threshold=25, **several),
            "Slow": balancer.metrics.target_response_time(period=Duration.minutes(5), statistic="p99").create_alarm(
                self, "Slow", threshold=2, **several
            ),
            "DeadLetters": data.dead_letters.metric_approximate_number_of_messages_visible().create_alarm(
                self, "DeadLettersSeen", threshold=1, evaluation_periods=1
            ),
            "OldJobs": data.queue.metric_approximate_age_of_oldest_message().create_alarm(
                self, "OldJobs", threshold=900, evaluation_periods=1
            ),
            "DatabaseBusy": data.database.metric_cpu_utilization().create_alarm(
                self, "DatabaseBusy", threshold=85, evaluation_periods=3
            ),
            "KeyStoreBusy": data.key_store.metric_cpu_utilization().create_alarm(
                self, "KeyStoreBusy", threshold=85, evaluation_periods=3
            ),
            # What the load balancer itself answers: no web program was there.
            "Unreachable": balancer.metrics.http_code_elb(
                balancing.HttpCodeElb.ELB_5XX_COUNT, period=Duration.minutes(5), statistic="Sum"
            ).create_alarm(self, "Unreachable", threshold=5, evaluation_periods=2),
            # S3 tells of a copy that failed in the region it copies from; of late ones in the other (``Copies``).
            "CopyFailed": cloudwatch.Metric(
                namespace="AWS/S3",
                metric_name="OperationsFailedReplication",
                statistic="Sum",
                period=Duration.minutes(5),
                dimensions_map=copying(data.buckets["backup"].bucket_name, data.copy_to),
            ).create_alarm(
                self,
                "CopyFailed",
                threshold=1,
                evaluation_periods=1,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            ),
            # What was told to the detector and not read: findings, trail, traffic, the firewall's alerts.
            **{
                f"Unread{name}": queue.metric_approximate_age_of_oldest_message().create_alarm(
                    self, f"Unread{name.title().replace('-', '')}", threshold=3600, evaluation_periods=1
                )
                for name, queue in data.notices.items()
            },
            "NoBackup": cloudwatch.Metric(
                namespace="AWS/Backup",
                metric_name="NumberOfBackupJobsCompleted",
                statistic="Sum",
                period=Duration.days(1),
                dimensions_map={"BackupVaultName": self.vault.backup_vault_name},
            ).create_alarm(
                self,
                "NoBackup",
                threshold=1,
                evaluation_periods=2,
                datapoints_to_alarm=2,
                comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
            ),
            # The databases cannot grow any more: their cost's upper end is reached.
            **{
                name: cloudwatch.Metric(
                    namespace="AWS/RDS",
                    metric_name="ACUUtilization",
                    statistic="Average",
                    period=Duration.minutes(5),
                    dimensions_map={"DBClusterIdentifier": cluster.cluster_identifier},
                ).create_alarm(self, name, threshold=90, evaluation_periods=3)
                for name, cluster in (("DatabaseFull", data.database), ("KeyStoreFull", data.key_store))
            },
            # ACM renews sixty days before the end; where it cannot, somebody has a month.
            "CertificateEnds": cloudwatch.Metric(
                namespace="AWS/CertificateManager",
                metric_name="DaysToExpiry",
                statistic="Minimum",
                period=Duration.days(1),
                dimensions_map={"CertificateArn": self._plan.certificate},
            ).create_alarm(
                self,
                "CertificateEnds",
                threshold=30,
                evaluation_periods=1,
                comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            ),
            # Beyond these AWS looks into an account, and stops its mails in the end.
            **{
                name: cloudwatch.Metric(
                    namespace="AWS/SES",
                    metric_name=f"Reputation.{rate}Rate",
                    statistic="Maximum",
                    period=Duration.hours(1),
                ).create_alarm(self, name, threshold=limit, evaluation_periods=1)
                for name, rate, limit in (("MailsBounce", "Bounce", 0.05), ("MailsAnnoy", "Complaint", 0.001))
            },
            "NoticesLost": data.notices_lost.metric_approximate_number_of_messages_visible().create_alarm(
                self, "NoticesLost", threshold=1, evaluation_periods=1
            ),
            **{f"No{room.title()}": self._missing(room) for room in self._service.services},
        }
        for alarm in alarms.values():
            alarm.add_alarm_action(actions.SnsAction(self.topic))

    def _missing(self, room: str) -> cloudwatch.Alarm:
        """Return an alarm that sounds where no task of a room runs for ten minutes, or nobody says how many do."""
        running = cloudwatch.Metric(
            namespace="ECS/ContainerInsights",
            metric_name="RunningTaskCount",
            dimensions_map={
                "ClusterName": self._service.cluster.cluster_name,
                "ServiceName": self._service.services[room].service_name,
            },
            period=Duration.minutes(5),
            statistic="Maximum",
        )
        return running.create_alarm(
            self,
            f"No{room.title()}",
            threshold=1,
            evaluation_periods=2,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _tell_of_operators(self) -> None:
        """Tell of every start of the operator's task; nobody does what it can do unseen.

        It is known by its definition: whoever starts a task gives it the group they like.
        """
        every = f"arn:aws:ecs:{self.region}:{self.account}:task-definition/{self._service.operator.family}:"
        rule = events.Rule(
            self,
            "OperatorAtWork",
            description="Somebody started the operator's task",
            event_pattern=events.EventPattern(
                source=["aws.ecs"],
                detail_type=["ECS Task State Change"],
                detail={"taskDefinitionArn": [{"prefix": every}], "lastStatus": ["RUNNING", "STOPPED"]},
            ),
        )
        rule.add_target(targets.SnsTopic(self.topic))

    def _budget(self) -> None:
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=self._plan.monthly_budget, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN", notification_type=kind, threshold=threshold
                    ),
                    subscribers=[
                        budgets.CfnBudget.SubscriberProperty(address=self._plan.alarm_mail, subscription_type="EMAIL")
                    ],
                )
                for kind, threshold in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )
