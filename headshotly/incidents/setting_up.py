"""Which sources this installation reads and which rules it runs, by its options."""

import json
from collections.abc import Sequence
from pathlib import Path

from headshotly.incidents import rulebook
from headshotly.incidents.detecting import Detector
from headshotly.incidents.reading import (
    FORMS,
    FolderReader,
    JournalReader,
    QueueReader,
    Reader,
    SpoolReader,
    TailReader,
)
from headshotly.incidents.sources import application, collected, gate, heartbeat, syslog_lines, web, work
from headshotly.incidents.stream import Stream
from headshotly.policy import configuration
from headshotly.policy.refusal import Refusal


def readers() -> list[Reader]:
    """Return a reader for each source.

    Options: ``stream.<cloudtrail|guardduty|vpc-flow|network-firewall>.folder`` or ``.queue`` (address of an SQS queue),
    ``stream.region``, ``stream.endpoint``, ``stream.suricata.file`` (path of ``eve.json``).
    """
    options = configuration.current().options
    found: list[Reader] = [
        JournalReader(),
        SpoolReader("web", web.observe),
        SpoolReader("web-errors", application.observe),
        SpoolReader("worker", work.observe),
        SpoolReader("vendor-gate", gate.observe),
        SpoolReader("heartbeat", heartbeat.observe),
        SpoolReader("syslog", syslog_lines.observe),
        SpoolReader("collector", collected.observe),
    ]
    for name in FORMS:
        if options.get(f"stream.{name}.folder"):
            found.append(FolderReader(name, Path(options[f"stream.{name}.folder"])))
        if options.get(f"stream.{name}.queue"):
            from headshotly.vendors import aws  # noqa: PLC0415 - boto3 is slow to import, and pages load this module

            region, endpoint = options.get("stream.region", "eu-north-1"), options.get("stream.endpoint", "")
            sqs = aws.client("sqs", region=region, endpoint=endpoint)
            s3 = aws.client("s3", region=region, endpoint=endpoint)
            found.append(QueueReader(name, options[f"stream.{name}.queue"], sqs=sqs, s3=s3))
    if options.get("stream.suricata.file"):
        found.append(TailReader(Path(options["stream.suricata.file"])))
    return found


def rule_folders() -> list[Path]:
    """Return the folders rules are read from: our own, and those the option ``rules.folders`` names, colons between."""
    named = configuration.current().options.get("rules.folders", "")
    return [rulebook.OWN, *(Path(one) for one in named.split(":") if one)]


def placeholders() -> dict[str, Sequence[str]]:
    """Return what ``rules.placeholders`` says: the path of a JSON file, name → list of values.

    Raises:
        Refusal: the file is missing or is none.
    """
    named = configuration.current().options.get("rules.placeholders", "")
    if not named:
        return {}
    try:
        said = json.loads(Path(named).read_text(encoding="utf-8"))
        return {str(name): [str(value) for value in values] for name, values in said.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise Refusal(f"The file of placeholders {named} cannot be read.", code="rules.placeholders") from error


def book() -> rulebook.Rulebook:
    """Return the rules of this installation."""
    return rulebook.load(rule_folders(), placeholders=placeholders())


def stream() -> Stream:
    """Return the stream of this installation, ready to step."""
    return Stream(readers(), Detector(book()))
