"""The policy, its implementation and its evidence as OSCAL 1.2.1 (NIST): plain JSON, made without a library; pure.

Six documents that name each other: a catalog whose controls are the clauses, in our own words; a profile that takes all
of them; a component definition; a system security plan; an assessment plan; and the assessment's results. ISO/IEC 27001
and ASVS controls stand beside each clause as numbers, for their words are not ours to print.
``tests/proof/test_oscal.py`` reads them with compliance-trestle.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from headshotly.policy.clauses import Clause, ClauseKind, Section
from headshotly.policy.mapping import Mapping as Controls
from headshotly.policy.operator import Operator
from headshotly.proof.findings import Assurance
from headshotly.proof.selectors import CheckState, ClauseState
from headshotly.proof.verdicts import Judgement, Verdict

VERSION = "1.2.1"
NAMES = (
    "catalog", "profile", "component-definition", "system-security-plan", "assessment-plan", "assessment-results",
)  # fmt: skip
_NS = "https://headshotly.ai/ns/oscal"
_SECTION = 2
_ISO, _ASVS = "iso-27001-2022-annex-a", "owasp-asvs-5.0.0"
_METHODS = {
    Assurance.ENFORCED: "TEST",
    Assurance.MEASURED: "EXAMINE",
    Assurance.VENDOR: "EXAMINE",
    Assurance.HUMAN: "INTERVIEW",
}

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What the documents are about.

    Attributes:
        operator: who runs it.
        public_url: where it is reached.
        environment: where evidence was seen.
        source: commit or version that runs.
        effective: date of the policy's text, ISO 8601.
        sections: the text in reading order.
        controls: mapping of every clause.
        enforcers: dotted names of the code that enforces each clause.
        states: what is known of each clause.
        moment: when the documents are made; aware.
    """

    operator: Operator
    public_url: str
    environment: str
    source: str
    effective: str
    sections: tuple[Section, ...]
    controls: Mapping[str, Controls]
    enforcers: Mapping[str, tuple[str, ...]]
    states: Mapping[str, ClauseState]
    moment: dt.datetime


def _id(system: System, *parts: str) -> str:
    """Return a UUID that is the same whenever it names the same thing of this installation."""
    return str(uuid5(NAMESPACE_URL, "/".join((system.public_url, *parts))))


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")


def control_id(clause: Clause) -> str:
    """Return a clause's control id; a token may not begin with a digit."""
    return f"hs-{clause.id}"


def _prop(name: str, value: str) -> Json:
    return {"name": name, "ns": _NS, "value": value}


def _metadata(system: System, title: str) -> Json:
    operator = system.operator
    party = _id(system, "party")
    return {
        "title": title,
        "last-modified": _time(system.moment),
        "version": f"policy of {system.effective}",
        "oscal-version": VERSION,
        "props": [_prop("environment", system.environment), _prop("source", system.source)],
        "roles": [{"id": "operator", "title": "Operator"}],
        "parties": [
            {
                "uuid": party,
                "type": "organization",
                "name": operator.name,
                "email-addresses": [operator.security_email],
                "addresses": [
                    {
                        "addr-lines": [operator.street],
                        "city": operator.city,
                        "postal-code": operator.postcode,
                        "country": "PL" if operator.country == "Poland" else operator.country,
                    }
                ],
            }
        ],
        "responsible-parties": [{"role-id": "operator", "party-uuids": [party]}],
    }


def _with_uuid(system: System, name: str, body: Json) -> Json:
    """Put a UUID before a document that changes exactly with what it says."""
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return {name: {"uuid": _id(system, name, digest), **body}}


def _clauses(system: System) -> list[Clause]:
    return [state.clause for state in system.states.values()]


def _control(system: System, clause: Clause) -> Json:
    mapped = system.controls.get(clause.id)
    props = [_prop("kind", clause.kind.value), _prop("owner", clause.owner)]
    props += [_prop(_ISO, one) for one in (mapped.iso if mapped else ())]
    props += [_prop(_ASVS, one) for one in (mapped.asvs if mapped else ())]
    name = control_id(clause)
    return {
        "id": name,
        "class": "promise",
        "title": f"Clause {clause.id}",
        "props": [*props, {"name": "label", "value": clause.id}],
        "parts": [{"id": f"{name}_smt", "name": "statement", "prose": clause.sentence}],
    }


def catalog(system: System) -> Json:
    """Return the policy as a catalog: a group a section, a control a clause."""
    by_sentence = {one.sentence: one for one in _clauses(system)}
    groups: list[Json] = []
    for section in system.sections:
        if section.level == _SECTION:
            number = section.heading.partition(".")[0]
            groups.append({"id": f"section-{number}", "class": "section", "title": section.heading, "controls": []})
        for sentence in section.sentences:
            groups[-1]["controls"].append(_control(system, by_sentence[sentence]))
    body = {
        "metadata": _metadata(system, f"Security policy of {system.operator.name}"),
        "groups": [group for group in groups if group["controls"]],
    }
    return _with_uuid(system, "catalog", body)


def profile(system: System) -> Json:
    """Return the profile that takes every clause."""
    body = {
        "metadata": _metadata(system, "Every promise of the policy"),
        "imports": [{"href": "catalog.json", "include-all": {}}],
        "merge": {"as-is": True},
    }
    return _with_uuid(system, "profile", body)


def _how(system: System, clause: Clause) -> str:
    """Return in words what keeps a clause."""
    places = system.enforcers.get(clause.id, ())
    checks = [one.check.title for one in system.states[clause.id].checks]
    said = {
        ClauseKind.ENFORCED: f"Enforced by code in {len(places)} places.",
        ClauseKind.PROCESS: f"Done by people; code in {len(places)} places refuses to go on without a current record.",
        ClauseKind.INHERITED: "Inherited from a vendor; their report is the evidence.",
    }[clause.kind]
    return " ".join([said, *(f"Checked: {title}." for title in checks)])


def _status(system: System, clause: Clause) -> str:
    built = system.enforcers.get(clause.id) or system.states[clause.id].checks
    return "implemented" if built else "planned"


def _implemented(system: System, clause: Clause) -> Json:
    places = system.enforcers.get(clause.id, ())
    made: Json = {
        "uuid": _id(system, "implemented", clause.id),
        "control-id": control_id(clause),
        "description": _how(system, clause),
        "props": [{"name": "implementation-status", "value": _status(system, clause)}],
    }
    made["props"] += [_prop("enforced-by", place) for place in places]
    return made


def component_definition(system: System) -> Json:
    """Return the software as a component with what it does for each clause."""
    component = {
        "uuid": _id(system, "component"),
        "type": "software",
        "title": "HeadShotly",
        "description": "AI headshot service whose published security policy is enforced, watched and proven by itself.",
        "props": [{"name": "version", "value": system.source}],
        "control-implementations": [
            {
                "uuid": _id(system, "component", "implementation"),
                "source": "catalog.json",
                "description": "What the software does for each promise.",
                "implemented-requirements": [_implemented(system, one) for one in _clauses(system)],
            }
        ],
    }
    body = {"metadata": _metadata(system, "HeadShotly, the software"), "components": [component]}
    return _with_uuid(system, "component-definition", body)


def _characteristics(system: System) -> Json:
    impact = {"base": "fips-199-moderate"}
    return {
        "system-ids": [{"identifier-type": "http://ietf.org/rfc/rfc4122", "id": _id(system, "system")}],
        "system-name": "HeadShotly",
        "description": f"The service at {system.public_url}, as {system.environment}.",
        "system-information": {
            "information-types": [
                {
                    "uuid": _id(system, "information"),
                    "title": "Photos of people and headshots",
                    "description": "Uploaded photos, pictures made from them, names and addresses of customers.",
                    "confidentiality-impact": impact,
                    "integrity-impact": impact,
                    "availability-impact": impact,
                }
            ]
        },
        "status": {"state": "operational" if system.environment == "production" else "under-development"},
        "authorization-boundary": {
            "description": "The software and the AWS resources that its infrastructure code declares; Stripe, the mail "
            "provider and other vendors lie outside and are on the register of vendors."
        },
    }


def _requirement(system: System, clause: Clause) -> Json:
    return {
        "uuid": _id(system, "requirement", clause.id),
        "control-id": control_id(clause),
        "by-components": [
            {
                "component-uuid": _id(system, "this-system"),
                "uuid": _id(system, "by-component", clause.id),
                "description": _how(system, clause),
                "implementation-status": {"state": _status(system, clause)},
            }
        ],
    }


def system_security_plan(system: System) -> Json:
    """Return the plan: what the system is, and how each clause is kept in it."""
    body = {
        "metadata": _metadata(system, "System security plan of HeadShotly"),
        "import-profile": {"href": "profile.json"},
        "system-characteristics": _characteristics(system),
        "system-implementation": {
            "users": [
                {"uuid": _id(system, "user", role), "title": title, "role-ids": ["operator"]}
                for role, title in (("customer", "Customers"), ("staff", "Members of staff"))
            ],
            "components": [
                {
                    "uuid": _id(system, "this-system"),
                    "type": "this-system",
                    "title": "HeadShotly",
                    "description": "The whole service.",
                    "status": {"state": "operational"},
                }
            ],
        },
        "control-implementation": {
            "description": "Each clause with what keeps it; whether it does is in the assessment results.",
            "implemented-requirements": [_requirement(system, one) for one in _clauses(system)],
        },
    }
    return _with_uuid(system, "system-security-plan", body)


def assessment_plan(system: System) -> Json:
    """Return the plan of the assessment: every check, unasked, every few hours."""
    body = {
        "metadata": _metadata(system, "Continuous assessment of HeadShotly"),
        "import-ssp": {"href": "system-security-plan.json"},
        "reviewed-controls": _reviewed(),
    }
    return _with_uuid(system, "assessment-plan", body)


def _reviewed() -> Json:
    return {"control-selections": [{"include-all": {}}]}


def _observation(system: System, one: CheckState) -> Json:
    row = one.evidence
    if row is None:
        raise ValueError("a check that never looked has observed nothing")
    seen: Json = {
        "uuid": _id(system, "observation", str(row.id)),
        "title": one.check.title,
        "description": one.check.words,
        "props": [
            _prop("check", one.check.id),
            _prop("outcome", row.outcome),
            _prop("environment", row.environment),
            _prop("population", str(row.population)),
            _prop("evidence-sha256", row.sha256),
        ],
        "methods": [_METHODS[one.check.assurance]],
        "collected": _time(row.observed_to),
        "relevant-evidence": [{"href": f"../evidence/runs/{row.run_id}.json", "description": row.sentence}],
        "remarks": row.sentence,
    }
    if row.expires_at is not None:
        seen["expires"] = _time(row.expires_at)
    return seen


def _target_status(judged: Judgement) -> Json:
    """Return satisfied for what is proven and for nothing else: what somebody vouches for is not proof."""
    if judged.verdict is Verdict.PASS:
        return {"state": "satisfied", "reason": "pass"}
    return {"state": "not-satisfied", "reason": "fail" if judged.verdict is Verdict.FAIL else "other"}


def _finding(system: System, state: ClauseState) -> Json:
    judged = state.judgement
    found: Json = {
        "uuid": _id(system, "finding", state.clause.id, _time(system.moment)),
        "title": f"Clause {state.clause.id}: {judged.verdict.value}",
        "description": judged.reason,
        "props": [_prop("verdict", judged.verdict.value)],
        "target": {
            "type": "statement-id",
            "target-id": f"{control_id(state.clause)}_smt",
            "status": {**_target_status(judged), "remarks": judged.verdict.value},
        },
    }
    related = [_id(system, "observation", str(one.evidence.id)) for one in state.checks if one.evidence is not None]
    if related:
        found["related-observations"] = [{"observation-uuid": one} for one in related]
    return found


def assessment_results(system: System) -> Json:
    """Return what was observed and what follows for each clause."""
    looked = {
        one.evidence.id: one for state in system.states.values() for one in state.checks if one.evidence is not None
    }
    rows = [one.evidence for one in looked.values() if one.evidence is not None]
    result: Json = {
        "uuid": _id(system, "result", _time(system.moment)),
        "title": "What the checks saw last",
        "description": "The newest evidence of every check, judged when this was made. The worst verdict wins.",
        "start": _time(min((row.observed_from for row in rows), default=system.moment)),
        "end": _time(system.moment),
        "props": [_prop("environment", system.environment)],
        "reviewed-controls": _reviewed(),
        "findings": [_finding(system, one) for one in system.states.values()],
    }
    if looked:
        result["observations"] = [_observation(system, one) for one in looked.values()]
    body = {
        "metadata": _metadata(system, "Assessment results of HeadShotly"),
        "import-ap": {"href": "assessment-plan.json"},
        "results": [result],
    }
    return _with_uuid(system, "assessment-results", body)


def documents(system: System) -> dict[str, Json]:
    """Return every document by its name; each is written as ``<name>.json``."""
    makers = (catalog, profile, component_definition, system_security_plan, assessment_plan, assessment_results)
    return {name: make(system) for name, make in zip(NAMES, makers, strict=True)}


__all__ = ["NAMES", "VERSION", "System", "control_id", "documents"]
