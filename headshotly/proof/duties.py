"""What this room does unasked."""

import datetime as dt

from headshotly.policy.duties import duty
from headshotly.proof import selectors, services
from headshotly.proof.scene import Scene
from headshotly.proof.service import Finder
from headshotly.proof.verdicts import Verdict


@duty("proof.verify", every=dt.timedelta(hours=4), longest=dt.timedelta(minutes=15))
def verify() -> str:
    """Run every check against the running service and keep what was seen."""
    with Finder() as service:
        run = services.verify(scene=Scene(find_service=service), asked_by="duty")
    judged = [one.judgement.verdict for one in selectors.states().values()]
    counts = [f"{judged.count(verdict)} {verdict.value}" for verdict in Verdict if verdict in judged]
    return f"{run.evidence_count} checks ran; {', '.join(counts)}."
