"""How well anomalies of staff access are found: ``python -m bench.anomalies [--seeds N]``.

Half a year of twenty members, three attacks of each kind in it, for each seed; an attack counts as found when, within
the week's budget, an incident of that member touches one of its days. Precision is the share of shown incidents that
belong to an attack of any kind.
"""

import argparse
import datetime as dt
from collections import defaultdict

from bench.staff_behaviour import FIRST, Attack, Year
from headshotly.incidents.anomalies import BASELINE_DAYS, KINDS, Access, Incident, find, grouped, within_budget

BUDGETS = (2, 5, 10)
PER_KIND = 3


def weeks(accesses: list[Access], days: int) -> list[list[Incident]]:
    """Return the incidents of each judged week."""
    by_day = defaultdict(list)
    for one in accesses:
        by_day[one.at.date()].append(one)
    found = []
    for start in range(BASELINE_DAYS, days - 6, 7):
        oddities = []
        for number in range(start, start + 7):
            day = FIRST + dt.timedelta(days=number)
            span = [day - dt.timedelta(days=back) for back in range(BASELINE_DAYS + 1)]
            oddities += find([one for date in span for one in by_day[date]], day=day)
        found.append(grouped(oddities))
    return found


def belongs(incident: Incident, attack: Attack) -> bool:
    days = {one.last.date() for one in incident.oddities} | {one.first.date() for one in incident.oddities}
    return incident.member == attack.member and bool(days & attack.days)


type Share = dict[str, float]


def measure(seeds: int) -> dict[int, tuple[Share, Share, float, float]]:
    """Return for each budget: recall by kind, precision by kind, precision over all, incidents shown a week."""
    true, all_shown = ({budget: defaultdict(int) for budget in BUDGETS} for _ in range(2))
    found = {budget: defaultdict(list) for budget in BUDGETS}
    shown, right, counted = dict.fromkeys(BUDGETS, 0), dict.fromkeys(BUDGETS, 0), 0
    for seed in range(seeds):
        year = Year(seed=seed)
        for kind in KINDS:
            for _ in range(PER_KIND):
                year.inject(kind)
        incidents = weeks(year.accesses, 182)
        counted += len(incidents)
        for budget in BUDGETS:
            chosen = [one for week in incidents for one in within_budget(week, budget=budget)]
            shown[budget] += len(chosen)
            for one in chosen:
                known = any(belongs(one, attack) for attack in year.attacks)
                right[budget] += known
                for kind in one.kinds:
                    all_shown[budget][kind] += 1
                    true[budget][kind] += known
            for attack in year.attacks:
                found[budget][attack.kind].append(any(belongs(one, attack) for one in chosen))
    return {
        budget: (
            {kind: sum(found[budget][kind]) / len(found[budget][kind]) for kind in KINDS},
            {kind: true[budget][kind] / max(1, all_shown[budget][kind]) for kind in KINDS},
            right[budget] / max(1, shown[budget]),
            shown[budget] / counted,
        )
        for budget in BUDGETS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    seeds = parser.parse_args().seeds
    results = measure(seeds)
    print(f"{seeds} half years, {PER_KIND} attacks of each kind in each")
    print("| budget a week | | all | shown a week | " + " | ".join(KINDS) + " |")
    print("|---:|---|---:|---:|" + "---:|" * len(KINDS))
    for budget, (recall, precision, overall, shown) in results.items():
        print(f"| {budget} | recall | | {shown:.1f} | " + " | ".join(f"{recall[kind]:.2f}" for kind in KINDS) + " |")
        row = " | ".join(f"{precision[kind]:.2f}" for kind in KINDS)
        print(f"| {budget} | precision | {overall:.2f} | | {row} |")


if __name__ == "__main__":
    main()
