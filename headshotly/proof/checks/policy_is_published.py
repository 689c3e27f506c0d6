"""The policy page shows the newest version in force, sentence by sentence, with its date (clause 11.a-c)."""

from headshotly.policy import clauses, dates
from headshotly.proof import pages
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene, said
from headshotly.rights import legal_texts


@check(
    id="policy_is_published",
    clauses=("11.a-c",),
    title="The page is the version in force",
    words="We read the policy off its public page and compare it, sentence by sentence, with the version in force; the "
    "archive must show the date from which it counts.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Compare the page with the newest version in force."""
    service, today = scene.service, dates.day_of(scene.now).isoformat()
    in_force = next((one for one in legal_texts.versions(legal_texts.POLICY) if one.version <= today), None)
    if in_force is None:
        return broken("No version of the policy is in force yet.", ids=["security-policy"])
    text = pages.words(service.fetch("/policy/").text)
    sentences = [sentence for section in clauses.sections() for sentence in section.sentences]
    bad = [one for one in sentences if one not in in_force.body or " ".join(one.split()) not in text]
    where = f"/documents/{legal_texts.POLICY}/{in_force.version}/"
    if service.fetch(where).status != 200:  # noqa: PLR2004 - HTTP: found
        bad.append(where)
    if bad:
        sentence = f"The page is not the version of {in_force.version}: {shorten(bad, most=2)}."
        return broken(said(sentence, service), ids=bad, population=len(sentences), emulated=service.emulated)
    sentence = f"The page shows all {len(sentences)} sentences of the version of {in_force.version}."
    return held(said(sentence, service), population=len(sentences), emulated=service.emulated)
