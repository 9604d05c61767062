"""Dashboards and alerts ask for metrics that the processes have, by labels that these metrics have."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import REGISTRY, Histogram
from prometheus_client.metrics import MetricWrapperBase

from deploy.local.services import SERVICES

DEPLOY: Final = Path(__file__).resolve().parents[3] / "deploy"
MODULES: Final = (
    "services.runtime.telemetry.metrics",
    "services.rules.decide.processor",
    "services.rules.rehearsal.metrics",
    "services.notifier.sender",
)
_SELECTOR: Final = re.compile(r"(?P<name>bonus_\w+)(?:\{(?P<labels>[^}]*)\})?")
_GROUPING: Final = re.compile(r"\bby \((?P<labels>[^)]*)\)")


def metrics() -> dict[str, set[str]]:
    """Every series that the processes have, with its labels."""
    for module in MODULES:
        importlib.import_module(module)
    found: dict[str, set[str]] = {}
    for collector, names in REGISTRY._collector_to_names.items():
        if isinstance(collector, MetricWrapperBase) and collector._name.startswith("bonus_"):
            labels = set(collector._labelnames)
            for name in names:
                if not name.endswith("_created"):
                    found[name] = labels | ({"le"} if isinstance(collector, Histogram) else set())
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Every query of the dashboard and of the alerts, with where it stands."""
    dashboard = json.loads((DEPLOY / "grafana/dashboards/overview.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for rule in alerts():
        yield rule["alert"], rule["expr"]


def alerts() -> list[dict[str, Any]]:
    """The alert rules."""
    (group,) = yaml.safe_load((DEPLOY / "helm/alerts.yaml").read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


@pytest.mark.parametrize(("place", "expression"), list(expressions()), ids=lambda text: text[:30])
def test_what_is_asked_for_is_there(place: str, expression: str) -> None:
    """A name or label that no process has would show an empty panel, or an alert that never fires."""
    known = metrics()
    asked = list(_SELECTOR.finditer(expression))
    assert asked or "up{" in expression, place
    for selector in asked:
        assert selector["name"] in known, place
        matched = {part.split("=")[0].rstrip("!~ ") for part in (selector["labels"] or "").split(",") if part.strip()}
        assert matched <= known[selector["name"]], place
    has = set().union(*(known[selector["name"]] for selector in asked)) if asked else set()
    for grouping in _GROUPING.finditer(expression):
        assert {label.strip() for label in grouping["labels"].split(",")} <= has, place


def test_every_metric_is_shown_or_watched_or_told_of() -> None:
    """What nobody looks at need not be counted: each stands in the dashboard, in an alert, or in the manual."""
    told = (DEPLOY.parent / "docs/operations.md").read_text() + " ".join(text for _, text in expressions())
    names = {re.sub(r"_(bucket|count|sum)$", "", name) for name in metrics()}
    assert sorted(name for name in names if name not in told) == []


def test_every_alert_says_how_bad_and_what() -> None:
    """Somebody is woken by it: names are unique, the severity is known, the words name what is concerned."""
    rules = alerts()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "ticket"}
    for rule in rules:
        labels = {label for each in re.finditer(r"by \(([^)]*)\)", rule["expr"]) for label in each[1].split(", ")}
        for named in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
            assert named in labels | {"instance"}, rule["alert"]


def test_prometheus_scrapes_every_process_of_compose() -> None:
    """A process that is not scraped is not missed either; each target listens where it is asked."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())
    targets = config["scrape_configs"][0]["static_configs"][0]["targets"]
    assert {target.split(":")[0] for target in targets} == {each.name for each in SERVICES if each.name != "mail"}
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for target in targets:
        name, port = target.split(":")
        listens = compose[name]["command"][-1] if name.endswith("serve") else "9000"
        assert listens == port
