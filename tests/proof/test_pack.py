"""The auditor's pack: OSCAL that another program reads, statements that hide nothing, proofs that hold offline (1.3.a)."""

import csv
import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from trestle.oscal import assessment_plan, assessment_results, catalog, component, profile, ssp

from headshotly.audit import keys, merkle
from headshotly.audit import selectors as journal
from headshotly.audit.acts import Act
from headshotly.audit.sequencing import sequence_once
from headshotly.policy.clauses import clauses
from headshotly.policy.mapping import mappings
from headshotly.proof import applicability, bundle, exporting, oscal, registry, services, tables, verify_bundle
from headshotly.proof.errors import ExportRefused
from headshotly.proof.findings import Assurance, broken, held
from headshotly.proof.registry import Check
from headshotly.proof.verdicts import Verdict
from headshotly.proof.verify_bundle import INDEX, PackBroken, verify

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("1.3.a")]
MODELS = {
    "catalog": catalog, "profile": profile, "component-definition": component, "system-security-plan": ssp,
    "assessment-plan": assessment_plan, "assessment-results": assessment_results,
}  # fmt: skip


def a_check(name, clause_ids, finding) -> Check:
    return Check(
        id=name,
        clauses=clause_ids,
        title=f"Title {name}",
        words="W.",
        assurance=Assurance.MEASURED,
        look=lambda _: finding,
    )


@pytest.fixture
def looked(monkeypatch, scene):
    checks = {
        "tls": a_check("tls", ("3.1.a",), held("Old TLS was refused.", population=4)),
        "mapping": a_check("mapping", ("1.3.a",), broken("=9.9 maps to nothing.", ids=["9.9"])),
    }
    monkeypatch.setattr(registry, "load", lambda: checks)
    run = services.verify(scene=scene, asked_by="command")
    while sequence_once():
        pass
    return run


@pytest.fixture
def pack(looked, tmp_path) -> Path:
    return exporting.export(tmp_path / "pack").folder


def key() -> str:
    return keys.published_key()


def reindex(pack: Path) -> None:
    """Do what somebody who changes a pack would do next."""
    index = json.loads((pack / INDEX).read_text())
    index["files"] = {
        str(path.relative_to(pack)): verify_bundle._sha256(path.read_bytes())
        for path in pack.rglob("*")
        if path.is_file() and path.name != INDEX
    }
    (pack / INDEX).write_text(json.dumps(index))


def change(pack: Path, pattern: str, edit) -> None:
    (path,) = pack.glob(pattern)
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    reindex(pack)


def test_every_document_is_read_by_trestle(pack) -> None:
    for name, module in MODELS.items():
        document = json.loads((pack / "oscal" / f"{name}.json").read_text())
        module.Model.model_validate(document)
        (body,) = document.values()
        assert body["metadata"]["oscal-version"] == oscal.VERSION


def test_trestle_reads_strictly(pack) -> None:
    """The oracle is one: it refuses what OSCAL does not know."""
    document = json.loads((pack / "oscal" / "catalog.json").read_text())
    for spoil in (
        lambda body: body.update(colour="red"),
        lambda body: body.update(uuid="7"),
        lambda body: body.pop("metadata"),
    ):
        spoilt = json.loads(json.dumps(document))
        spoil(spoilt["catalog"])
        with pytest.raises(ValueError, match="validation error"):
            catalog.Model.model_validate(spoilt)


def test_the_documents_name_each_other_and_every_clause(pack) -> None:
    found = {name: next(iter(json.loads((pack / "oscal" / f"{name}.json").read_text()).values())) for name in MODELS}
    controls = {one["id"]: one for group in found["catalog"]["groups"] for one in group["controls"]}
    assert list(controls) == [oscal.control_id(one) for one in clauses().values()]
    assert len(found["catalog"]["groups"]) == 12
    (implementation,) = found["component-definition"]["components"][0]["control-implementations"]
    plan = found["system-security-plan"]["control-implementation"]
    for requirements in (implementation["implemented-requirements"], plan["implemented-requirements"]):
        assert [one["control-id"] for one in requirements] == list(controls)
    for href in (
        found["profile"]["imports"][0]["href"],
        found["system-security-plan"]["import-profile"]["href"],
        found["assessment-plan"]["import-ssp"]["href"],
        found["assessment-results"]["import-ap"]["href"],
    ):
        assert (pack / "oscal" / href).is_file()
    for one in found["assessment-results"]["results"][0]["observations"]:
        for linked in one["relevant-evidence"]:
            assert (pack / "oscal" / linked["href"]).resolve().is_file()
    for clause_id, mapped in mappings().items():
        props = controls[f"hs-{clause_id}"]["props"]
        assert {one["value"] for one in props if one["name"].startswith("iso")} == set(mapped.iso)


def results(pack: Path):
    (result,) = json.loads((pack / "oscal" / "assessment-results.json").read_text())["assessment-results"]["results"]
    return result


def test_only_what_is_proven_is_satisfied(pack) -> None:
    result = results(pack)
    states = {one["title"].split(":")[0]: one["target"]["status"]["state"] for one in result["findings"]}
    assert [name for name, state in states.items() if state == "satisfied"] == ["Clause 3.1.a"]
    assert len(states) == 55
    statements = {f"hs-{one}_smt" for one in clauses()}
    assert {one["target"]["target-id"] for one in result["findings"]} == statements
    known = {one["uuid"] for one in result["observations"]}
    used = {each["observation-uuid"] for one in result["findings"] for each in one.get("related-observations", [])}
    assert used == known


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_a_status_and_one_is_satisfied(looked, verdict) -> None:
    from headshotly.proof.verdicts import Judgement

    status = oscal._target_status(Judgement(verdict=verdict, reason="So."))
    assert (status["state"] == "satisfied") is (verdict is Verdict.PASS)
    assert status["reason"] in {"pass", "fail", "other"}


def test_the_same_system_gives_the_same_documents(looked) -> None:
    known = bundle.system()
    assert oscal.documents(known) == oscal.documents(known)
    assert oscal.catalog(known) != oscal.catalog(replace(known, environment="production"))


def test_annex_a_is_whole_and_nothing_is_claimed_for_nothing(looked) -> None:
    known = bundle.system()
    rows = applicability.annex_a(known.controls, known.states)
    assert [len([one for one in rows if one.control.startswith(f"{theme}.")]) for theme in "5678"] == [37, 8, 14, 34]
    unmapped = [one for one in rows if not one.clauses]
    assert unmapped
    assert all(one.verdict is None and one.state == "for the organisation to state" for one in unmapped)
    assert not any(one.state == "proven" for one in rows if "1.3.a" in one.clauses)
    crypto = next(one for one in rows if one.control == "8.24")
    assert crypto.state == "mapped, not known yet", "one clause holds, the others are not known"


def test_a_control_that_does_not_exist_is_an_error(looked) -> None:
    known = bundle.system()
    wrong = {"3.1.a": replace(known.controls["3.1.a"], iso=("9.99",))}
    with pytest.raises(KeyError):
        applicability.annex_a(wrong, known.states)


def test_the_tables_hold_text_and_no_formula(pack) -> None:
    book = load_workbook(pack / "iso27001" / "statement-of-applicability.xlsx")
    (sheet,) = book.worksheets
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type == "s" for cell in cells)
    assert sum(str(cell.value).startswith(("5.", "6.", "7.", "8.")) for cell in sheet["A"]) == 93
    assert (pack / "iso27001" / "statement-of-applicability.pdf").read_bytes().startswith(b"%PDF-")
    (asvs,) = load_workbook(pack / "owasp" / "asvs-5.0.0.xlsx").worksheets
    wanted = {one for mapped in mappings().values() for one in mapped.asvs}
    assert {str(cell.value) for cell in asvs["A"]} >= wanted
    rows = list(csv.reader(io.StringIO((pack / "owasp" / "asvs-5.0.0.csv").read_text())))
    assert {row[0] for row in rows[1:]} == wanted


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_no_spreadsheet_calculates_what_we_wrote(cell) -> None:
    made = load_workbook(io.BytesIO(tables.as_xlsx("T", [cell], ("A",), [(cell,)])))
    assert all(one.data_type == "s" for row in made.worksheets[0].iter_rows() for one in row if one.value)
    assert not tables.as_csv(("A",), [(cell,)]).splitlines()[1].startswith(("=", "+", "-", "@", "\t"))


def test_a_pack_holds_offline_and_the_journal_says_it_was_given(pack) -> None:
    said = verify(pack, verifier=key())
    assert "1 runs with 2 pieces of evidence are in the signed journal, unchanged." in said
    while sequence_once():
        pass
    (entry,) = journal.entries_of_act(Act.POLICY_EXPORTED)
    assert verify_bundle._sha256((pack / INDEX).read_bytes()) in entry.leaf.purpose


def test_the_program_in_the_pack_needs_nothing_of_ours(pack) -> None:
    text = (pack / "verify.py").read_text()
    assert "import headshotly" not in text
    assert "from headshotly" not in text
    call = [sys.executable, "-I", str(pack / "verify.py"), str(pack), "--key", key()]
    done = subprocess.run(call, capture_output=True, text=True, cwd=pack, timeout=60)
    assert done.returncode == 0, done.stderr
    (pack / "README.txt").write_text("changed")
    done = subprocess.run(call, capture_output=True, text=True, cwd=pack, timeout=60)
    assert done.returncode == 1
    assert "NOT VERIFIED: README.txt was changed." in done.stderr


def test_a_file_more_or_less_or_changed_is_named(pack) -> None:
    (pack / "policy" / "extra.txt").write_text("x")
    with pytest.raises(PackBroken, match=r"extra\.txt is not in the index"):
        verify(pack, verifier=key())
    (pack / "policy" / "extra.txt").unlink()
    (pack / "policy" / "text.en.md").rename(pack.parent / "away")
    with pytest.raises(PackBroken, match=r"text\.en\.md is missing"):
        verify(pack, verifier=key())


def _sentence(document) -> None:
    document["evidence"][0]["sentence"] = "Everything is fine."


def _fewer(document) -> None:
    document["evidence"].pop()


def _other_run(document) -> None:
    document["run"]["id"] = "0" * 8 + document["run"]["id"][8:]


def _other_index(document) -> None:
    document["journal"]["index"] += 1


def _other_leaf(document) -> None:
    document["journal"]["leaf"] = "e30="


def _no_part(document) -> None:
    del document["journal"]["proof"]


@pytest.mark.parametrize("edit", [_sentence, _fewer, _other_run, _other_index, _other_leaf, _no_part])
def test_evidence_changed_with_its_index_is_found(pack, edit) -> None:
    change(pack, "evidence/runs/*.json", edit)
    with pytest.raises(PackBroken):
        verify(pack, verifier=key())


def _pass_all(document) -> None:
    for clause in document["clauses"]:
        for one in clause["checks"]:
            one["verdict"] = "PASS"


def _pass_clause(document) -> None:
    for clause in document["clauses"]:
        clause["verdict"] = "PASS"


def _borrow(document) -> None:
    digests = [one["evidence_sha256"] for clause in document["clauses"] for one in clause["checks"]]
    for clause in document["clauses"]:
        for one in clause["checks"]:
            one["evidence_sha256"], one["verdict"] = (
                digests[0] if one["evidence_sha256"] != digests[0] else digests[1],
                "PASS",
            )


@pytest.mark.parametrize("edit", [_pass_all, _pass_clause, _borrow])
def test_a_verdict_better_than_its_evidence_is_found(pack, edit) -> None:
    change(pack, "policy/verdicts.json", edit)
    with pytest.raises(PackBroken, match=r"passes|not in the pack"):
        verify(pack, verifier=key())


def test_another_key_or_a_forged_checkpoint_is_refused(pack) -> None:
    other = key()[:-4] + ("AAA=" if key()[-4:] != "AAA=" else "BBB=")
    with pytest.raises(PackBroken, match="does not match its own id"):
        verify(pack, verifier=other)
    note = pack / "evidence" / "checkpoint.note"
    lines = note.read_text().split("\n")
    note.write_text("\n".join([lines[0], str(int(lines[1]) + 1), *lines[2:]]))
    reindex(pack)
    with pytest.raises(PackBroken, match="by this key"):
        verify(pack, verifier=key())


def test_a_witness_that_kept_another_head_is_a_fork(pack, tmp_path) -> None:
    from headshotly.audit.checkpoint import Checkpoint, sign

    witness = tmp_path / "witness"
    witness.mkdir()
    with pytest.raises(PackBroken, match="holds no heads"):
        verify(pack, verifier=key(), witness=witness)
    note = (pack / "evidence" / "checkpoint.note").read_text()
    (witness / "1.note").write_text(note)
    assert "contradicts" in verify(pack, verifier=key(), witness=witness)[-1]
    size = int(note.split("\n")[1])
    forked = sign(Checkpoint(keys.ORIGIN, size, bytes(32)), keys.signing_key())
    (witness / "2.note").write_text(forked)
    with pytest.raises(PackBroken, match="forked"):
        verify(pack, verifier=key(), witness=witness)


@given(st.integers(1, 40).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_the_little_program_walks_proofs_as_the_journal_does(asked) -> None:
    size, index = asked
    leaves = [f"leaf {number}".encode() for number in range(size)]
    tree, nodes = merkle.Frontier(), {}
    for leaf in leaves:
        nodes.update(tree.add(merkle.leaf_hash(leaf)))
    path = merkle.inclusion_proof(index, size, nodes.__getitem__)
    assert verify_bundle.root_of(leaves[index], index, size, path) == tree.root
    for wrong in (path[:-1], [*path, bytes(32)]):
        if wrong != path:
            with pytest.raises(PackBroken):
                assert verify_bundle.root_of(leaves[index], index, size, wrong) == tree.root, "another root"
                raise PackBroken


def test_nothing_is_exported_before_anybody_looked(db, tmp_path) -> None:
    with pytest.raises(ExportRefused, match="Nobody has looked yet"):
        exporting.export(tmp_path / "pack")
    assert list(tmp_path.iterdir()) == []


def test_a_run_the_journal_does_not_have_yet_is_not_given_away(looked, scene, tmp_path) -> None:
    services.verify(scene=scene, asked_by="command")
    with pytest.raises(ExportRefused, match="has not sequenced run"):
        exporting.export(tmp_path / "pack")
    assert list(tmp_path.iterdir()) == []


def test_a_pack_is_never_half_nor_written_over_another(pack, tmp_path, monkeypatch) -> None:
    with pytest.raises(ExportRefused, match="exists already"):
        exporting.export(pack)
    real = Path.write_bytes

    def full(self, data):
        if self.name == "verdicts.json":
            raise OSError(28, "No space left on device")
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ExportRefused, match="No space left on device"):
        exporting.export(tmp_path / "second")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]
    shutil.rmtree(pack)
