"""Telling the formats of scanners apart; pure."""

from headshotly.lifecycle import cyclonedx, sarif
from headshotly.lifecycle.bounded import read_object
from headshotly.lifecycle.errors import DocumentRefused
from headshotly.lifecycle.sightings import Run


def read(raw: bytes) -> tuple[str, list[Run]]:
    """Return the format of a file, and every run of a tool it tells of.

    Raises:
        DocumentRefused: it is none of the formats we read, or breaks its rules.
    """
    document = read_object(raw)
    if sarif.is_sarif(document):
        return "SARIF", sarif.read(document)
    if cyclonedx.is_cyclonedx(document):
        return "CycloneDX", cyclonedx.read(document)
    raise DocumentRefused("The document is neither SARIF 2.1.0 nor CycloneDX.")
