"""The disk that all tasks share: sealed, spoken to over TLS, through access points alone, and in no backup (3.1, 3.2).

What lies on it and why: ``docs/running.md``. Everything on it belongs to one account, since the service's files are
readable by their owner only; what a task may not touch lies under another root, for which it has no access point.
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from constructs import Construct

from headshotly_infra.keys import OPERATOR, ROOMS, Keys
from headshotly_infra.network import Network

ACCOUNT = 10001  # user and group that every task runs as
MOUNT, WRITE = "elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"
ROOT = "elasticfilesystem:ClientRootAccess"
_READS, _WRITES = (MOUNT,), (MOUNT, WRITE)
# folder → task → what it may do there
FOLDERS: dict[str, dict[str, tuple[str, ...]]] = {
    # Spools, the key that waiting entries are tagged with, the internal TLS key, marks: every task adds to them.
    "shared": dict.fromkeys((*ROOMS, OPERATOR), _WRITES),
    # The key that signs the journal. Web and duties hold heads against its public half, which lies nowhere else.
    # A restore brings it back.
    "journal": {"sequencer": _WRITES, "web": _READS, "duties": _READS, OPERATOR: _WRITES},
    # The key that signs pictures.
    "pictures": {"worker": _WRITES},
    # The key that signs security.txt.
    "disclosure": {"duties": _WRITES},
}


class Disk(Construct):
    """One file system with a mount target in each zone, and access points: one for each task and folder."""

    def __init__(self, scope: Construct, name: str, *, network: Network, keys: Keys) -> None:
        """Make the disk.

        Args:
            scope: the stack.
            name: of the disk.
            network: where it stands.
            keys: what seals it, and the roles that may mount it.
        """
        super().__init__(scope, name)
        self._keys = keys
        self.system = efs.CfnFileSystem(
            self,
            "System",
            encrypted=True,
            kms_key_id=keys.keys["disk"].key_arn,
            # It keeps history, which signing keys must not have; the service's own backup takes what a restore needs.
            backup_policy=efs.CfnFileSystem.BackupPolicyProperty(status="DISABLED"),
            throughput_mode="elastic",
            performance_mode="generalPurpose",
            file_system_policy=self._policy().to_json(),
            file_system_tags=[efs.CfnFileSystem.ElasticFileSystemTagProperty(key="Name", value="headshotly")],
        )
        self.system.apply_removal_policy(RemovalPolicy.RETAIN)
        for zone, subnet in enumerate(network.vpc.select_subnets(subnet_group_name="data").subnets, start=1):
            efs.CfnMountTarget(
                self,
                f"Target{zone}",
                file_system_id=self.system.attr_file_system_id,
                subnet_id=subnet.subnet_id,
                security_groups=[network.groups["disk"].security_group_id],
            )
        self.points = {
            room: {folder: self._point(room, folder, may[room]) for folder, may in FOLDERS.items() if room in may}
            for room in keys.roles
        }

    @staticmethod
    def _policy() -> iam.PolicyDocument:
        """Return what nobody may do, whatever else allows it; without an allowance here only roles can have one."""

        def never(sid: str, acts: tuple[str, ...], conditions: dict[str, object] | None = None) -> iam.PolicyStatement:
            return iam.PolicyStatement(
                sid=sid,
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=list(acts),
                conditions=conditions,
            )

        every = (MOUNT, WRITE, ROOT)
        return iam.PolicyDocument(
            statements=[
                never("NeverInTheClear", every, {"Bool": {"aws:SecureTransport": "false"}}),
                never("NeverAsRoot", (ROOT,)),
                never("NeverWithoutAnAccessPoint", every, {"Null": {"elasticfilesystem:AccessPointArn": "true"}}),
                never("NeverFromElsewhere", every, {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "false"}}),
            ]
        )

    def _point(self, room: str, folder: str, acts: tuple[str, ...]) -> efs.CfnAccessPoint:
        owner = str(ACCOUNT)
        point = efs.CfnAccessPoint(
            self,
            f"{room.capitalize()}{folder.capitalize()}",
            file_system_id=self.system.attr_file_system_id,
            posix_user=efs.CfnAccessPoint.PosixUserProperty(uid=owner, gid=owner),
            root_directory=efs.CfnAccessPoint.RootDirectoryProperty(
                path=f"/{folder}",
                creation_info=efs.CfnAccessPoint.CreationInfoProperty(
                    owner_uid=owner, owner_gid=owner, permissions="0700"
                ),
            ),
        )
        iam.Policy(
            self,
            f"May{room.capitalize()}{folder.capitalize()}",
            statements=[
                iam.PolicyStatement(
                    actions=list(acts),
                    resources=[self.system.attr_arn],
                    conditions={"StringEquals": {"elasticfilesystem:AccessPointArn": point.attr_arn}},
                )
            ],
            roles=[self._keys.roles[room]],
        )
        return point

    def may_write(self, room: str, folder: str) -> bool:
        """Say whether a task may change what lies in a folder."""
        return WRITE in FOLDERS[folder][room]
