"""What a month costs, from quantities that are derived and prices that the operator keeps (``prices.toml``).

``python -m headshotly_infra.costs [PRICES.toml]`` in ``infra/`` prints the table of ``docs/costs.md``, at those prices.
"""

import math
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOURS = 730.0  # of a month
PRICES = Path(__file__).parents[1] / "prices.toml"
ALARMS = 27
SIZES = (1_000, 100_000, 1_000_000)
_KIB_IN_GIB, _MIB_IN_GIB = 1024.0**2, 1024.0


@dataclass(frozen=True, slots=True)
class Assumptions:
    """How customers behave, and how much the service does for each; per month where nothing else is said.

    Attributes:
        active_share: part of the customers who order in a month.
        photos: uploaded by one who orders.
        headshots: made for one who orders.
        photo_mib: of an upload, sealed.
        headshot_mib: of a result, sealed.
        kept_months: how long pictures stay on average until they are deleted or expire.
        worker_seconds: of one worker (2 vCPU) for a headshot; on the safe side of what docs/performance.md measured
            (1.1 s for a photo and 0.35 s for a style, on a quiet machine).
        pages: requests of one who orders, pictures included.
        idle_pages: requests of one who does not.
        requests_a_task: requests a second that one web task (1 vCPU) serves at half load.
        peak: the busiest hour over the mean one.
        events: of the journal and the event stream for one who orders.
        event_kib: of one of them, with its indexes.
        journal_months: how long they are kept.
        row_kib: rows of one customer in the databases, with indexes.
        mails: to one who orders.
        log_kib: of logs for a request.
        disk_kib: that the shared disk counts for a line of the spools, when it is written and when it is read.
        backups: copies of what is kept, in each of two regions.
    """

    active_share: float = 0.06
    photos: int = 8
    headshots: int = 24
    photo_mib: float = 2.5
    headshot_mib: float = 1.2
    kept_months: float = 2.0
    worker_seconds: float = 4.0
    pages: int = 160
    idle_pages: int = 2
    requests_a_task: float = 25.0
    peak: float = 5.0
    events: int = 400
    event_kib: float = 1.5
    journal_months: int = 24
    row_kib: float = 40.0
    mails: int = 5
    log_kib: float = 0.8
    disk_kib: float = 32.0
    backups: float = 1.6


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill.

    Attributes:
        what: in plain words.
        price: name of the price in ``prices.toml``.
        quantity: how many units of it in a month.
    """

    what: str
    price: str
    quantity: float


def lines(customers: int, assumed: Assumptions | None = None) -> list[Line]:
    """Return what a month of so many customers uses.

    Args:
        customers: with an account, whether they order or not.
        assumed: how they behave; the usual where None.

    Raises:
        ValueError: there are fewer than none.
    """
    if customers < 0:
        raise ValueError("There cannot be fewer than no customers.")
    a = assumed or Assumptions()
    active = customers * a.active_share
    requests = active * a.pages + (customers - active) * a.idle_pages
    made = active * (a.photos * a.photo_mib + a.headshots * a.headshot_mib) / _MIB_IN_GIB
    kept = made * a.kept_months
    rows = customers * a.row_kib / _KIB_IN_GIB + active * a.events * a.event_kib * a.journal_months / _KIB_IN_GIB
    out = active * a.headshots * a.headshot_mib * 1.5 / _MIB_IN_GIB + requests * 30 / _KIB_IN_GIB
    return [
        *_computing(requests, active, a),
        *_keeping(requests, active, rows, a, kept=kept, made=made),
        *_around(requests, active, out, made, a),
    ]


def _computing(requests: float, active: float, a: Assumptions) -> list[Line]:
    web = max(2, math.ceil(requests / (HOURS * 3600) * a.peak / a.requests_a_task))
    worker_hours = max(2 * HOURS, active * a.headshots * a.worker_seconds / 3600 * 1.4)  # spare for peaks
    vcpu = web * HOURS + 2 * worker_hours + (0.5 + 1 + 0.5 + 0.25) * HOURS  # sequencer, detector, duties, sender
    gib = 2 * web * HOURS + 4 * worker_hours + (1 + 2 + 2 + 1) * HOURS
    acu = max(1.0, requests / (HOURS * 3600) * a.peak / 60)
    return [
        Line("Tasks: processors", "fargate_vcpu_hour", vcpu),
        Line("Tasks: memory", "fargate_gib_hour", gib),
        Line("Two database clusters, writer and reader each", "aurora_acu_hour", 4 * acu * HOURS),
    ]


def _keeping(requests: float, active: float, rows: float, a: Assumptions, *, kept: float, made: float) -> list[Line]:
    pictures = active * (a.photos + a.headshots)
    spooled = requests * a.disk_kib / _KIB_IN_GIB
    return [
        Line("Databases: storage", "aurora_gib_month", rows),
        Line("Databases: reads and writes", "aurora_million_io", (requests * 6 + active * a.events * 8) / 1e6),
        Line("Pictures: storage", "s3_gib_month", kept),
        Line("Backups in two regions: storage", "s3_gib_month", (kept + rows) * a.backups * 2),
        Line("Copies by S3: storage", "s3_gib_month", (kept + rows) * a.backups),
        Line("Pictures and backups: writes", "s3_thousand_writes", pictures * (1 + 3 * a.backups) / 1000),
        Line("Pictures: reads", "s3_thousand_reads", pictures * 4 / 1000),
        Line("Backups: to the second region", "s3_gib_between_regions", made * 2 + rows * 0.2),
        Line("Databases: AWS Backup", "backup_gib_month", rows * 1.5),
        Line("Shared disk: storage", "efs_gib_month", 1 + spooled * 0.02),  # spools are read within the hour
        Line("Shared disk: writes", "efs_write_gib", spooled),
        Line("Shared disk: reads", "efs_read_gib", spooled),
        Line("Keys", "kms_key_month", 6),
        Line("Keys: wrapping and unwrapping", "kms_ten_thousand_calls", (pictures * 5 + active * 30) / 10_000),
    ]


def _around(requests: float, active: float, out: float, made: float, a: Assumptions) -> list[Line]:
    logs = requests * a.log_kib / _KIB_IN_GIB + 2
    units = max(1.0, requests / (HOURS * 3600) * a.peak / 25)
    return [
        Line("Firewall in two zones", "firewall_endpoint_hour", 2 * HOURS),
        Line("Firewall: traffic", "firewall_gib", 5 + made * 0.05),
        Line("Ways out in two zones", "nat_gateway_hour", 2 * HOURS),
        Line("Ways out: traffic", "nat_gateway_gib", 5 + made),
        Line("Endpoints of AWS's services in two zones", "interface_endpoint_zone_hour", 7 * 2 * HOURS),
        Line("Load balancer", "balancer_hour", HOURS),
        Line("Load balancer: use", "balancer_unit_hour", units * HOURS),
        Line("Web application firewall", "waf_month", 1),
        Line("Web application firewall: rules", "waf_rule_month", 6),
        Line("Web application firewall: requests", "waf_million_requests", requests / 1e6),
        Line("Pictures and pages to customers", "out_gib", max(0.0, out - 100)),
        Line("Logs: taking", "log_gib", logs),
        Line("Logs: keeping a year", "log_gib_month", logs * 12),
        Line("Alarms", "alarm_month", ALARMS),
        Line("Metrics of copies", "metric_month", 4),
        Line("Trail: events of objects", "trail_hundred_thousand_data_events", active * 200 / 100_000),
        Line("Configuration record", "config_item", 2000),
        Line("Configuration rules", "config_rule_evaluation", 3000),
        Line("Threat detection: flow logs", "guardduty_gib", 2 + logs * 0.3),
        Line("Threat detection: events", "guardduty_million_events", 1 + active * 200 / 1e6),
        Line("Queue", "sqs_million", (active * a.headshots * 4 + HOURS * 3600 / 5) / 1e6),
        Line("Mails", "ses_thousand", active * a.mails / 1000),
    ]


def prices(file: Path = PRICES) -> dict[str, float]:
    """Return the unit prices in US dollars.

    Raises:
        ValueError: one is negative or no number.
    """
    found = tomllib.loads(file.read_text(encoding="utf-8"))["price"]
    if bad := [name for name, price in found.items() if isinstance(price, bool) or not price >= 0]:
        raise ValueError(f"These are no prices: {', '.join(bad)}.")
    return {name: float(price) for name, price in found.items()}


def month(customers: int, *, assumed: Assumptions | None = None, at: Mapping[str, float] | None = None) -> float:
    """Return what a month costs, in US dollars.

    Raises:
        KeyError: a price is missing.
    """
    known = prices() if at is None else at
    return sum(line.quantity * known[line.price] for line in lines(customers, assumed))


def table(file: Path = PRICES) -> str:
    """Return the table for ``SIZES`` in Markdown.

    Args:
        file: an operator's own prices; a line it leaves out costs what ours says.
    """
    known = prices() | prices(file)
    columns = [lines(size) for size in SIZES]
    heads = " | ".join(f"{size:,} customers" for size in SIZES)
    rows = [f"| | {heads} |", "|---|" + "--:|" * len(SIZES)]
    for same in zip(*columns, strict=True):
        cells = " | ".join(f"{line.quantity * known[line.price]:,.0f}" for line in same)
        rows.append(f"| {same[0].what} | {cells} |")
    totals = [month(size, at=known) for size in SIZES]
    rows.append("| **US dollars a month** | " + " | ".join(f"**{total:,.0f}**" for total in totals) + " |")
    each = " | ".join(f"{total / size:,.3f}" for total, size in zip(totals, SIZES, strict=True))
    orders = " | ".join(
        f"{total / (size * Assumptions().active_share):,.2f}" for total, size in zip(totals, SIZES, strict=True)
    )
    return "\n".join([*rows, f"| a customer | {each} |", f"| an order | {orders} |"])


if __name__ == "__main__":
    print(table(*map(Path, sys.argv[1:2])))  # noqa: T201 - what it is for
