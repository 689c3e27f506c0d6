"""The hosting provider's audit report is on file and in date (clause 2.1.b). Attested, never proven."""

import datetime as dt

from headshotly.proof.findings import Assurance, Finding, attested, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.proof.selectors import attestation_of

_MIDNIGHT = dt.time(tzinfo=dt.UTC)


@check(
    id="data_centre_report",
    clauses=("2.1.b",),
    title="The data centres' audit report",
    words="Nobody can look at a data centre from here. We look whether the provider's independent audit report is on "
    "file, and until when it counts.",
    assurance=Assurance.VENDOR,
)
def look(_scene: Scene) -> Finding:
    """Look up the attestation that counts longest."""
    found = attestation_of("2.1.b")
    if found is None:
        return unknown("No audit report of the hosting provider is on file.")
    return attested(
        f"{found.issuer}, {found.document_title}, until {found.expires_on:%Y-%m-%d}: {found.statement}",
        expires_at=dt.datetime.combine(found.expires_on, _MIDNIGHT),
        observed_from=found.attested_at,
    )
