"""The arithmetic of the cost table, and that the page says what it computes."""

from dataclasses import replace
from pathlib import Path

import pytest
from headshotly_infra import costs
from headshotly_infra.costs import Assumptions
from headshotly_infra.network import MACHINE_ENDPOINTS

PAGE = Path(__file__).parents[2] / "docs" / "costs.md"


def quantity(customers: int, what: str, **other: float) -> float:
    [line] = [one for one in costs.lines(customers, replace(Assumptions(), **other)) if one.what == what]
    return line.quantity


def test_a_line_is_what_its_assumptions_make_it() -> None:
    # 100,000 customers of whom 5 % order: 5,000 × (10 × 2 MiB + 20 × 1 MiB) = 195.3 GiB, kept for three months
    given = {"active_share": 0.05, "photos": 10, "headshots": 20, "photo_mib": 2, "headshot_mib": 1, "kept_months": 3}
    assert quantity(100_000, "Pictures: storage", **given) == pytest.approx(5_000 * 40 / 1024 * 3)
    assert quantity(100_000, "Mails", active_share=0.05, mails=4) == pytest.approx(20)
    # Requests are 5,000 × 100 + 95,000 × 2
    given = {"active_share": 0.05, "pages": 100, "idle_pages": 2}
    assert quantity(100_000, "Web application firewall: requests", **given) == pytest.approx(0.69)
    assert quantity(100_000, "Two database clusters, writer and reader each", **given) == pytest.approx(4 * 730)
    assert quantity(100_000, "Shared disk: writes", **given, disk_kib=64) == pytest.approx(690_000 * 64 / 1024**2)


def test_what_stands_is_what_the_templates_make(resources) -> None:
    # Without a machine of one's own: those bring three endpoints more, while they are asked for.
    own = len(MACHINE_ENDPOINTS)
    endpoints = [one for one in resources("AWS::EC2::VPCEndpoint").values() if one["VpcEndpointType"] == "Interface"]
    assert quantity(1_000, "Endpoints of AWS's services in two zones") == (len(endpoints) - own) * 2 * 730
    [acl] = resources("AWS::WAFv2::WebACL").values()
    assert quantity(1_000, "Web application firewall: rules") == len(acl["Rules"])
    assert quantity(1_000, "Keys") == len(resources("AWS::KMS::Key"))
    assert quantity(1_000, "Alarms") == len(resources("AWS::CloudWatch::Alarm"))
    assert quantity(1_000, "Ways out in two zones") == len(resources("AWS::EC2::NatGateway")) * 730
    assert quantity(1_000, "Firewall in two zones") == len(resources("AWS::NetworkFirewall::Firewall")) * 730


def test_a_month_is_the_sum_of_quantities_times_prices() -> None:
    ones = dict.fromkeys(costs.prices(), 1.0)
    assert costs.month(1_000, at=ones) == pytest.approx(sum(line.quantity for line in costs.lines(1_000)))
    assert costs.month(1_000, at=dict.fromkeys(ones, 0.0)) == 0
    twice = {name: 2 * price for name, price in costs.prices().items()}
    assert costs.month(1_000, at=twice) == pytest.approx(2 * costs.month(1_000))


def test_every_price_is_used_and_every_line_has_one() -> None:
    assert {line.price for line in costs.lines(1_000)} == set(costs.prices())


def test_more_customers_cost_more_and_each_costs_less() -> None:
    months = [costs.month(size) for size in costs.SIZES]
    assert months == sorted(months)
    each = [total / size for total, size in zip(months, costs.SIZES, strict=True)]
    assert each == sorted(each, reverse=True)
    assert costs.month(0) > 0, "what stands costs money before anybody comes"


def test_nonsense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fewer"):
        costs.lines(-1)
    file = tmp_path / "prices.toml"
    file.write_text("[price]\nfargate_vcpu_hour = -1\n")
    with pytest.raises(ValueError, match="no prices"):
        costs.prices(file)


def test_the_page_shows_the_table_as_it_is_computed() -> None:
    assert costs.table() in PAGE.read_text(encoding="utf-8")


def test_an_operators_own_prices_count_for_what_they_name(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text("[price]\nfirewall_endpoint_hour = 0\n", encoding="utf-8")
    firewall = [line for line in costs.table(own).splitlines() if line.startswith("| Firewall in two zones")]
    assert firewall == ["| Firewall in two zones | 0 | 0 | 0 |"]
    totals = {name: [line for line in costs.table(file).splitlines() if "dollars" in line] for name, file in
              (("own", own), ("ours", costs.PRICES))}  # fmt: skip
    assert totals["own"] != totals["ours"]
    assert costs.table() == costs.table(costs.PRICES)
