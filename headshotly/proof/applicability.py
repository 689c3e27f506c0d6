"""The statement of applicability (ISO/IEC 27001:2022, 6.1.3 d) and the ASVS table, from mapping and verdicts; pure.

The standard's words are not ours to print: each control has its number and a few words of our own.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from headshotly.policy.mapping import Mapping as Controls
from headshotly.proof.selectors import ClauseState
from headshotly.proof.verdicts import Verdict, worst

# Annex A, number by number, in our words.
ANNEX_A: dict[str, str] = {
    "5.1": "Policies for security", "5.2": "Who answers for what", "5.3": "Duties kept apart",
    "5.4": "What management asks of people", "5.5": "Contact with authorities", "5.6": "Contact with expert groups",
    "5.7": "Knowing the threats", "5.8": "Security in projects", "5.9": "List of information and assets",
    "5.10": "Acceptable use", "5.11": "Assets given back", "5.12": "Classes of information", "5.13": "Labels",
    "5.14": "Passing information on", "5.15": "Control of access", "5.16": "Identities",
    "5.17": "Secrets to sign in with",
    "5.18": "Rights of access", "5.19": "Security with suppliers", "5.20": "Agreements with suppliers",
    "5.21": "Supply chain of technology", "5.22": "Watching suppliers and their changes", "5.23": "Cloud services",
    "5.24": "Incidents: being prepared", "5.25": "Incidents: judging events", "5.26": "Incidents: responding",
    "5.27": "Incidents: learning", "5.28": "Incidents: evidence", "5.29": "Security while disrupted",
    "5.30": "Technology ready to continue", "5.31": "Law, regulation and contracts", "5.32": "Intellectual property",
    "5.33": "Protecting records", "5.34": "Privacy and personal data", "5.35": "Independent review",
    "5.36": "Compliance with one's own rules", "5.37": "Written procedures", "6.1": "Screening",
    "6.2": "Terms of employment", "6.3": "Awareness and training", "6.4": "Discipline",
    "6.5": "Duties after leaving", "6.6": "Confidentiality agreements", "6.7": "Working elsewhere",
    "6.8": "Reporting events", "7.1": "Physical perimeter", "7.2": "Physical entry", "7.3": "Offices and rooms",
    "7.4": "Physical monitoring", "7.5": "Fire, water and other threats", "7.6": "Work in secure areas",
    "7.7": "Clear desk and screen", "7.8": "Placing equipment", "7.9": "Assets off the premises",
    "7.10": "Storage media", "7.11": "Power and supplies", "7.12": "Cabling", "7.13": "Maintenance of equipment",
    "7.14": "Disposal of equipment", "8.1": "Devices of users", "8.2": "Privileged rights",
    "8.3": "Restricting access to information", "8.4": "Access to source code", "8.5": "Signing in securely",
    "8.6": "Capacity", "8.7": "Malware", "8.8": "Technical weaknesses", "8.9": "Configuration",
    "8.10": "Deleting information", "8.11": "Masking data", "8.12": "Preventing leaks", "8.13": "Backup",
    "8.14": "Redundancy", "8.15": "Logging", "8.16": "Monitoring", "8.17": "One time for all clocks",
    "8.18": "Powerful utilities", "8.19": "Installing software", "8.20": "Networks", "8.21": "Network services",
    "8.22": "Segregated networks", "8.23": "Web filtering", "8.24": "Cryptography", "8.25": "Secure life cycle",
    "8.26": "Security requirements", "8.27": "Architecture and engineering", "8.28": "Secure coding",
    "8.29": "Security testing", "8.30": "Outsourced development", "8.31": "Separate environments",
    "8.32": "Managing change", "8.33": "Test information", "8.34": "Audit tests",
}  # fmt: skip

_THEMES = {"5": "Organisation", "6": "People", "7": "Physical", "8": "Technology"}
HEAD_OF_CONTROLS = ("Control", "Theme", "In our words", "Applies", "Why", "State", "Clauses", "Evidence says")
HEAD_OF_ASVS = ("Requirement", "State", "Clauses", "Evidence says")
_STATES = {
    Verdict.PASS: "proven",
    Verdict.ATTESTED: "vouched for, not proven",
    Verdict.EXCEPTED: "exception in force",
    Verdict.UNKNOWN: "mapped, not known yet",
    Verdict.STALE: "evidence out of date",
    Verdict.ERROR: "check failed",
    Verdict.FAIL: "broken",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One control with what is known of it.

    Attributes:
        control: its number.
        clauses: ids of the clauses mapped to it.
        verdict: the worst of theirs; None where no clause is.
        reasons: of those that do not hold.
    """

    control: str
    clauses: tuple[str, ...]
    verdict: Verdict | None
    reasons: tuple[str, ...]

    @property
    def state(self) -> str:
        """Return the state in words."""
        return "for the organisation to state" if self.verdict is None else _STATES[self.verdict]

    @property
    def says(self) -> str:
        """Return what evidence says, in words."""
        if self.verdict is Verdict.PASS:
            return "All mapped clauses hold."
        return " ".join(self.reasons)


def _number(control: str) -> tuple[int, ...]:
    return tuple(int(part) for part in control.split("."))


def _row(control: str, clause_ids: list[str], states: Mapping[str, ClauseState]) -> Row:
    judged = {one: states[one].judgement for one in clause_ids}
    verdict = worst(one.verdict for one in judged.values()) if judged else None
    reasons = tuple(
        f"{clause_id}: {one.reason}" for clause_id, one in judged.items() if one.verdict is not Verdict.PASS
    )
    return Row(control, tuple(clause_ids), verdict, reasons)


def _by_control(controls: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for clause_id, named in controls.items():
        for control in named:
            found[control].append(clause_id)
    return found


def annex_a(mapping: Mapping[str, Controls], states: Mapping[str, ClauseState]) -> list[Row]:
    """Return every control of Annex A, in order.

    Raises:
        KeyError: the mapping names a control that Annex A does not have.
    """
    mapped = _by_control({clause_id: one.iso for clause_id, one in mapping.items()})
    for control in mapped:
        ANNEX_A[control]
    return [_row(control, mapped.get(control, []), states) for control in ANNEX_A]


def asvs(mapping: Mapping[str, Controls], states: Mapping[str, ClauseState]) -> list[Row]:
    """Return every requirement or section of ASVS 5.0.0 that a clause is mapped to, in order."""
    mapped = _by_control({clause_id: one.asvs for clause_id, one in mapping.items()})
    return [_row(control, mapped[control], states) for control in sorted(mapped, key=_number)]


def cells_of_control(row: Row) -> tuple[str, ...]:
    """Return a control's cells under ``HEAD_OF_CONTROLS``."""
    applies, why = ("yes", "The policy promises it.") if row.clauses else ("to be stated", _WHY_NOT_HERE)
    theme = _THEMES[row.control.partition(".")[0]]
    clauses = ", ".join(row.clauses)
    return (row.control, theme, ANNEX_A[row.control], applies, why, row.state, clauses, row.says)


_WHY_NOT_HERE = "No clause is about it."


def cells_of_requirement(row: Row) -> tuple[str, ...]:
    """Return a requirement's cells under ``HEAD_OF_ASVS``."""
    return (row.control, row.state, ", ".join(row.clauses), row.says)
