"""Data stores cannot be reached from the internet (clause 2.3.a)."""

import ipaddress
import json
import stat

from django.db import connections

from headshotly.policy.configuration import Configuration
from headshotly.proof import infrastructure
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.infrastructure import Resource, TemplatesMissing
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_ANYBODY = {"0.0.0.0/0", "::/0"}
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def _here(here: Configuration) -> list[str]:
    """Return what of this very installation is open: a data folder others can read, a database at a public address."""
    bad = []
    folder = here.data_folder
    if folder.exists() and folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        bad.append(f"data folder with mode {stat.S_IMODE(folder.stat().st_mode):o}")
    for alias in connections:
        host = str(connections[alias].settings_dict.get("HOST") or "")
        try:
            public = ipaddress.ip_address(host).is_global
        except ValueError:
            public = False  # a file, a socket, or a name that only the private network knows
        if public:
            bad.append(f"database {alias} at {host}")
    return bad


def _open_group(one: Resource) -> bool:
    rules = [*one.properties.get("SecurityGroupIngress", [])] or [one.properties]
    return any(rule.get("CidrIp", rule.get("CidrIpv6")) in _ANYBODY for rule in rules)


def _in_templates(found: list[Resource]) -> list[str]:
    bad = [
        one.name
        for kind in ("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress")
        for one in infrastructure.of_kind(found, kind)
        if _open_group(one) and "/EdgeGroup" not in one.name
    ]
    databases = infrastructure.of_kind(found, "AWS::RDS::DBInstance")
    bad += [one.name for one in databases if one.properties.get("PubliclyAccessible") is not False]
    for bucket in infrastructure.of_kind(found, "AWS::S3::Bucket"):
        blocks = bucket.properties.get("PublicAccessBlockConfiguration", {})
        if not all(blocks.get(name) is True for name in _BLOCKS):
            bad.append(bucket.name)
    routes = infrastructure.of_kind(found, "AWS::EC2::Route")
    bad += [one.name for one in routes if "dataSubnet" in json.dumps(one.properties)]
    return bad


@check(
    id="stores_are_private",
    clauses=("2.3.a",),
    title="Data stores have no way to the internet",
    words="We look at this installation's own databases and folders, which nobody else may reach, and at production's "
    "templates: no database may be public, no bucket open, no data network may have a way out, and only the load "
    "balancer may be open to everybody.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Look at both."""
    bad = _here(scene.here)
    if bad:
        return broken(f"A data store is open: {shorten(bad)}.", ids=bad)
    try:
        found = infrastructure.resources(scene.here)
    except TemplatesMissing as missing:
        return unknown(missing.sentence)
    bad = _in_templates(found)
    if bad:
        return broken(f"A data store could be reached from the internet: {shorten(bad)}.", ids=bad)
    return held(
        f"No database, bucket or data network among {len(found)} parts of the templates is open, and none here.",
        population=len(found),
    )
