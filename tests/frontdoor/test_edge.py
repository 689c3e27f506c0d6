"""The web application firewall that stands before production, held against the addresses there are."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from headshotly.frontdoor.api.document import document
from headshotly.frontdoor.health import Probes

REPOSITORY = Path(__file__).resolve().parents[2]
SERVICE = json.loads((REPOSITORY / "infra" / "templates" / "Service.json").read_text())
_FORM = re.compile(r"<form[^>]*enctype=\"multipart/form-data\"[^>]*>")


def places() -> list[str]:
    """Return the patterns of addresses to which files may be sent."""
    [acl] = [one["Properties"] for one in SERVICE.values() if one["Type"] == "AWS::WAFv2::WebACL"]
    [bodies] = [one for one in acl["Rules"] if one["Name"] == "bodies"]
    _, elsewhere = bodies["Statement"]["AndStatement"]["Statements"]
    patterns = elsewhere["NotStatement"]["Statement"]["OrStatement"]["Statements"]
    return [one["RegexMatchStatement"]["RegexString"] for one in patterns]


def routes(resolver: URLResolver, before: str = "/", space: str = "") -> dict[str, str]:
    """Return every named address by name, with its placeholders."""
    found = {}
    for one in resolver.url_patterns:
        here = before + str(one.pattern)
        inner = f"{space}:{one.namespace}".lstrip(":") if isinstance(one, URLResolver) and one.namespace else space
        if isinstance(one, URLPattern):
            found[f"{space}:{one.name}".lstrip(":")] = here
        else:
            found |= routes(one, here, inner)
    return found


@pytest.mark.clause("2.3.b")
def test_photos_and_files_pass_the_firewall_where_pages_and_api_take_them() -> None:
    known = routes(get_resolver())
    forms = [
        (template.name, re.search(r"{% url '([\w:-]+)'", form))
        for template in (REPOSITORY / "headshotly").rglob("templates/**/*.html")
        for form in _FORM.findall(template.read_text())
    ]
    assert len(forms) >= 6
    sent = {known[named[1]] for name, named in forms if named}
    assert len(forms) == len([named for _, named in forms if named]), "a form for files does not say where they go"
    sent |= {
        path if path.startswith("/api/") else f"/api/v1/{path.lstrip('/')}"
        for path, verbs in document()["paths"].items()
        for one in verbs.values()
        if "multipart/form-data" in one.get("requestBody", {}).get("content", {})
    }
    assert reverse("studio:upload") in sent
    assert any(path.startswith("/api/v1/") for path in sent)
    for path in sent:
        assert any(re.match(place, path) for place in places()), f"a photo sent to {path} may be refused"


def test_where_no_files_go_bodies_are_looked_at() -> None:
    for path in (reverse("accounts:sign-in"), reverse("studio:start"), "/api/v1/jobs", reverse("orders:buy")):
        assert not any(re.match(place, path) for place in places()), path


def test_the_balancer_asks_for_what_the_program_answers_and_for_the_port_it_hears() -> None:
    [group] = [
        one["Properties"] for one in SERVICE.values() if one["Type"] == "AWS::ElasticLoadBalancingV2::TargetGroup"
    ]
    assert group["HealthCheckPath"] in Probes.VIEWS
    # The balancer names us by number: what answers it must come before anything that looks at the host.
    assert settings.MIDDLEWARE[0].endswith(".Probes")
    assert (group["Protocol"], group["HealthCheckProtocol"]) == ("HTTPS", "HTTPS")
    image = (REPOSITORY / "container" / "Containerfile").read_text()
    assert f"EXPOSE {group['Port']}\n" in image


def test_every_option_that_production_tells_its_tasks_is_one_the_program_reads() -> None:
    tasks = [one["Properties"] for one in SERVICE.values() if one["Type"] == "AWS::ECS::TaskDefinition"]
    told = {
        one["Name"]
        for task in tasks
        for container in task["ContainerDefinitions"]
        for one in (*container["Environment"], *container.get("Secrets", []))
    }
    text = "\n".join(path.read_text() for path in (REPOSITORY / "headshotly").rglob("*.py"))
    options = {name for name in told if name.startswith("HEADSHOTLY_OPTION_")}
    assert len(options) > 20
    for name in options:
        option = name.removeprefix("HEADSHOTLY_OPTION_").lower().replace("__", ".")
        # The sources of the detector's stream are named one by one where they are read.
        written = re.sub(r"^stream\.(cloudtrail|guardduty|vpc-flow|network-firewall)\.", "stream.{name}.", option)
        assert f'"{option}"' in text or f'"{written}"' in text, f"nothing reads {option}"
    for name in (one for one in told - options if one.startswith("HEADSHOTLY_")):
        short = name.removeprefix("HEADSHOTLY_")
        assert f'"{short}"' in text, f"nothing reads {name}"
