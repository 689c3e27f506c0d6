"""What lies in an auditor's pack: name → bytes. Reads what is known; writes nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headshotly.audit import selectors as journal
from headshotly.audit.acts import Act
from headshotly.audit.keys import published_key
from headshotly.policy import clauses as text
from headshotly.policy import clock, configuration
from headshotly.policy.clauses import clauses, sections, text_name
from headshotly.policy.enforcement import enforcers_of
from headshotly.policy.mapping import mappings
from headshotly.proof import applicability, evidence, oscal, selectors, services, tables, threats, trust, verify_bundle
from headshotly.proof.applicability import HEAD_OF_ASVS, HEAD_OF_CONTROLS
from headshotly.proof.errors import ExportRefused
from headshotly.proof.models import CheckRun
from headshotly.proof.oscal import System
from headshotly.proof.scene import environment_of
from headshotly.proof.source import running_source

_WIDTHS = (0.95, 1.5, 0.9, 1.3, 1.2, 0.95, 2.9)
_README = """Auditor's pack of {operator}
Made {moment:%Y-%m-%d %H:%M} UTC in {environment}.

oscal/      the policy, its implementation and assessment as OSCAL {oscal}; each document names the next
iso27001/   statement of applicability
owasp/      ASVS 5.0.0, as far as the policy is mapped to it
policy/     the text in force, and what is known of each sentence
evidence/   what the checks saw, with proofs that it stands in the signed journal
verify.py   checks all this offline:  python verify.py . --key "VERIFIER KEY"

Take the verifier key from the operator on another way (“headshotly journal key”), and the program from its
source if you doubt this folder. “{key}” is what this folder says of itself.

What was seen in an environment other than production says nothing about production.
"""


def system() -> System:
    """Return what the OSCAL documents are about, as it is known now."""
    here = configuration.current()
    return System(
        operator=here.operator,
        public_url=here.public_url,
        environment=environment_of(here).value,
        source=running_source(),
        effective=text_name()[:10],
        sections=sections(),
        controls=mappings(),
        enforcers={clause_id: enforcers_of(clause_id) for clause_id in clauses()},
        states=selectors.states(),
        moment=clock.now().replace(microsecond=0),
    )


def _as_json(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _lead(known: System) -> tuple[str, ...]:
    return (
        f"{known.operator.name}, {known.operator.postal_address}",
        f"Made {known.moment:%Y-%m-%d %H:%M} UTC; where evidence was seen: {known.environment}",
        f"Text of {known.effective}; source {known.source}",
        "“For the organisation to state”: no clause is about it. Each state is the worst of the mapped clauses.",
    )


def _statements(known: System) -> Iterator[tuple[str, bytes]]:
    controls = [applicability.cells_of_control(one) for one in applicability.annex_a(known.controls, known.states)]
    title, lead = "Statement of applicability", _lead(known)
    yield "iso27001/statement-of-applicability.xlsx", tables.as_xlsx(title, lead, HEAD_OF_CONTROLS, controls)
    yield (
        "iso27001/statement-of-applicability.pdf",
        tables.as_pdf(
            f"{title}, ISO/IEC 27001:2022", lead, HEAD_OF_CONTROLS, controls, widths=_WIDTHS, operator=known.operator
        ),
    )
    wanted = [applicability.cells_of_requirement(one) for one in applicability.asvs(known.controls, known.states)]
    yield "owasp/asvs-5.0.0.xlsx", tables.as_xlsx("OWASP ASVS 5.0.0", lead, HEAD_OF_ASVS, wanted)
    yield "owasp/asvs-5.0.0.csv", tables.as_csv(HEAD_OF_ASVS, wanted).encode()


def _runs(known: System) -> list[CheckRun]:
    """Return every run that a verdict rests on, and the newest one."""
    rows = [one.evidence for state in known.states.values() for one in state.checks if one.evidence is not None]
    newest = selectors.latest_run()
    ids = {row.run_id for row in rows} | ({newest.id} if newest else set())
    return list(CheckRun.objects.filter(id__in=ids).order_by("ended_at"))


def _entries(runs: list[CheckRun]) -> dict[str, int]:
    """Return the journal's entry of each run, by the run's id.

    Raises:
        ExportRefused: an entry is not sequenced yet.
    """
    found = {
        entry.leaf.purpose.split()[1]: entry.index
        for entry in journal.entries_of_act(Act.CHECKS_RUN)
        if entry.leaf.purpose.startswith("run ")
    }
    missing = [str(run.id) for run in runs if str(run.id) not in found]
    if missing:
        raise ExportRefused(
            f"The journal has not sequenced run {missing[0]} yet. Start the service, wait a second, and try again."
        )
    return {str(run.id): found[str(run.id)] for run in runs}


def _plain(run: CheckRun) -> list[dict[str, Any]]:
    """Return a run's evidence spelled as its hashes cover it."""
    return [json.loads(evidence.canonical(services.fields_of(row))) for row in selectors.evidence_of(run)]


def _evidence(known: System) -> Iterator[tuple[str, bytes]]:
    runs = _runs(known)
    indexes = _entries(runs)
    proven = journal.proofs_of_entries(list(indexes.values()))
    if not proven["checkpoint"] or len(proven["entries"]) != len(indexes):
        raise ExportRefused("Nobody has looked yet, or the journal is not signed yet. Run “headshotly policy verify”.")
    by_index = {one["index"]: one for one in proven["entries"]}
    yield "evidence/checkpoint.note", proven["checkpoint"].encode()
    yield "evidence/verifier-key.txt", f"{published_key()}\n".encode()
    for run in runs:
        document = {
            "run": {
                "id": str(run.id),
                "began_at": run.began_at.isoformat(),
                "ended_at": run.ended_at.isoformat(),
                "asked_by": run.asked_by,
                "source": run.source,
            },
            "evidence": _plain(run),
            "journal": by_index[indexes[str(run.id)]],
        }
        yield f"evidence/runs/{run.id}.json", _as_json(document)


def contents() -> Iterator[tuple[str, bytes]]:
    """Yield every file of a pack but its index.

    Raises:
        ExportRefused: nobody has looked yet, or the journal is behind.
    """
    known = system()
    if selectors.latest_run() is None:
        raise ExportRefused("Nobody has looked yet. Run “headshotly policy verify” first.")
    yield from _evidence(known)
    for name, document in oscal.documents(known).items():
        yield f"oscal/{name}.json", _as_json(document)
    yield from _statements(known)
    folder = Path(text.__file__).resolve().parent / "texts"
    yield "policy/text.en.md", (folder / text_name()).read_bytes()
    yield "policy/verdicts.json", _as_json(trust.as_document(trust.overview()))
    yield "policy/threat-model.md", threats.as_markdown().encode()
    yield "verify.py", Path(verify_bundle.__file__).read_bytes()
    readme = _README.format(
        operator=known.operator.name,
        moment=known.moment,
        environment=known.environment,
        oscal=oscal.VERSION,
        key=published_key(),
    )
    yield "README.txt", readme.encode()
