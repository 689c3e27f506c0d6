"""What this room does unasked."""

import datetime as dt

from headshotly.policy.duties import duty
from headshotly.proof import intake, letters, reporting, security_text, selectors, services
from headshotly.proof.scene import Scene
from headshotly.proof.service import Finder
from headshotly.proof.verdicts import Verdict


@duty("proof.verify", every=dt.timedelta(hours=4), longest=dt.timedelta(minutes=15), slow=True)
def verify() -> str:
    """Run every check against the running service and keep what was seen."""
    with Finder() as service:
        run = services.verify(scene=Scene(find_service=service), asked_by="duty")
    judged = [one.judgement.verdict for one in selectors.states().values()]
    counts = [f"{judged.count(verdict)} {verdict.value}" for verdict in Verdict if verdict in judged]
    return f"{run.evidence_count} checks ran; {', '.join(counts)}."


@duty("proof.sign-security-text", every=dt.timedelta(hours=6))
def sign_security_text() -> str:
    """Keep security.txt from expiring."""
    made = security_text.sign_when_due()
    return f"security.txt signed until {made.expires_at:%Y-%m-%d}." if made else "security.txt is good."


@duty("proof.collect-reports", every=dt.timedelta(minutes=2))
def collect_reports() -> str:
    """Take the mails to the security address in."""
    found = intake.collect()
    return f"{found.recorded} mails recorded, {found.answered} answered, {found.failed} to be tried again."


@duty("proof.remind-reports", every=dt.timedelta(hours=1))
def remind_reports() -> str:
    """Tell security which reports must be acknowledged soon."""
    return f"{letters.remind()} reports were named to security."


@duty("proof.forget-reports", every=dt.timedelta(days=1))
def forget_reports() -> str:
    """Forget what was written in reports closed long ago."""
    return f"{reporting.forget_old()} old reports forgotten."
