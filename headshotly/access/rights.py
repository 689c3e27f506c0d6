"""Which role has which right (clause 2.4.a). What is not listed here nobody may do."""

from headshotly.access.models import Role

RIGHTS: dict[str, frozenset[str]] = {
    "grants.ask": frozenset({Role.SUPPORT, Role.SECURITY, Role.DPO, Role.OPERATIONS, Role.DEVELOPER}),
    "grants.decide": frozenset({Role.SECURITY, Role.DPO, Role.OPERATIONS}),
    "grants.read": frozenset({Role.SECURITY, Role.DPO, Role.AUDITOR}),
    "glass.break": frozenset({Role.SUPPORT, Role.SECURITY, Role.OPERATIONS, Role.DEVELOPER}),
    "glass.review": frozenset({Role.SECURITY, Role.DPO}),
    "customers.find": frozenset({Role.SUPPORT, Role.SECURITY, Role.DPO}),
    "sessions.end": frozenset({Role.SUPPORT, Role.SECURITY}),
    "people.read": frozenset({Role.SECURITY, Role.DPO, Role.OPERATIONS, Role.AUDITOR}),
    "people.write": frozenset({Role.SECURITY, Role.OPERATIONS}),
    "rights.review": frozenset({Role.SECURITY, Role.DPO}),
    "requests.read": frozenset({Role.DPO, Role.SECURITY, Role.AUDITOR}),
    "requests.answer": frozenset({Role.DPO}),
    "governance.read": frozenset({Role.DPO, Role.SECURITY, Role.OPERATIONS, Role.AUDITOR}),
    "assessments.write": frozenset({Role.SECURITY, Role.OPERATIONS, Role.DPO}),
    "assessments.decide": frozenset({Role.DPO}),
    "risks.write": frozenset({Role.SECURITY, Role.DPO}),
    "weaknesses.read": frozenset({Role.SECURITY, Role.DPO, Role.AUDITOR}),
    "weaknesses.answer": frozenset({Role.SECURITY}),
    "findings.read": frozenset({Role.SECURITY, Role.DPO, Role.OPERATIONS, Role.DEVELOPER, Role.AUDITOR}),
    "findings.write": frozenset({Role.SECURITY, Role.DEVELOPER}),
    "findings.decide": frozenset({Role.SECURITY, Role.DPO, Role.OPERATIONS}),
    "penetration.write": frozenset({Role.SECURITY}),
    "releases.write": frozenset({Role.DEVELOPER, Role.OPERATIONS}),
    "releases.review": frozenset({Role.DEVELOPER, Role.SECURITY, Role.OPERATIONS}),
    "documents.publish": frozenset({Role.DPO}),
    "orders.read": frozenset({Role.FINANCE, Role.AUDITOR}),
    "orders.refund": frozenset({Role.FINANCE}),
    "continuity.read": frozenset({Role.OPERATIONS, Role.SECURITY, Role.DPO, Role.AUDITOR}),
    "service.read": frozenset({Role.OPERATIONS, Role.SECURITY, Role.DPO, Role.AUDITOR}),
    "plan.review": frozenset({Role.OPERATIONS}),
    "vendors.read": frozenset({Role.DPO, Role.SECURITY, Role.OPERATIONS, Role.AUDITOR}),
    "vendors.write": frozenset({Role.SECURITY, Role.OPERATIONS}),
    "vendors.decide": frozenset({Role.SECURITY, Role.DPO}),
    "incidents.read": frozenset({Role.SECURITY, Role.DPO, Role.OPERATIONS, Role.AUDITOR}),
    "incidents.write": frozenset({Role.SECURITY, Role.DPO, Role.OPERATIONS}),
    "incidents.contain": frozenset({Role.SECURITY, Role.OPERATIONS}),
    "breaches.write": frozenset({Role.SECURITY, Role.DPO}),
    "breaches.approve": frozenset({Role.SECURITY, Role.DPO}),
    "breaches.send": frozenset({Role.DPO}),
    "machines.read": frozenset({Role.SECURITY, Role.OPERATIONS, Role.AUDITOR}),
    "machines.write": frozenset({Role.OPERATIONS}),
}

# Who may decide about which scope: data is the DPO's and the security officer's, production acts are operations'.
DECIDERS_OF_DATA = frozenset({Role.SECURITY, Role.DPO})
DECIDERS_OF_ACTS = frozenset({Role.SECURITY, Role.OPERATIONS})

MACHINE_RIGHTS = frozenset({"self.read", "journal.read", "events.write", "metrics.read"})


def of_role(role: str) -> frozenset[str]:
    """Return the rights of a role."""
    return frozenset(right for right, roles in RIGHTS.items() if role in roles)
