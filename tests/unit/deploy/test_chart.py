"""The Helm chart: it lints, renders, and what it renders is what Kubernetes takes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml

from deploy.local.services import SERVICES
from services.ledger.settings import LedgerSettings
from services.notifier.settings import NotifierSettings
from services.rules.settings import RulesSettings

CHART = Path(__file__).resolve().parents[3] / "deploy" / "helm"
VERSIONS = ("1.29", "1.34", "1.37")
EVERYTHING = {
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {"enabled": True, "from": [{"namespaceSelector": {"matchLabels": {"shop": "yes"}}}]},
    "mail": {"host": "smtp.example.com", "usernameKey": "smtp-user", "passwordKey": "smtp-password"},
    "publicUrl": "https://club.example.com",
    "confirmations": {"privateKey": "confirmation-key", "publicKey": "confirmation-public-key"},
    "settings": {"BONUS_LOG_LEVEL": "DEBUG", "BONUS_POSTGRES_POOL_MAX": 8},
    "image": {"repository": "registry.example.com/bonus", "tag": "1.2.3", "pullSecrets": ["registry"]},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "podAnnotations": {"note": "x"},
    "podLabels": {"team": "loyalty"},
    "priorityClassName": "high",
    "serviceAccount": {"create": True, "name": "bonus", "annotations": {"role": "x"}},
}
CUSTOM = {"ServiceMonitor", "PrometheusRule"}
"""Custom resources: Kubernetes itself has no schema for them."""

Manifest = dict[str, Any]


def rendered(values: dict[str, Any] | None = None, name: str = "shop") -> list[Manifest]:
    """Everything that the chart makes of values, as documents."""
    files = helm_python.Chart.load(CHART).render(values or {}, name=name, namespace="bonus")
    texts = [text for file, text in files.items() if not file.endswith("NOTES.txt")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def of_kind(kind: str, manifests: list[Manifest]) -> dict[str, Manifest]:
    """The documents of one kind by name."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_the_chart_lints(values: dict[str, Any]) -> None:
    """Warnings are errors; that an icon is recommended is neither."""
    report = helm_python.lint(CHART, values, strict=True)
    assert report["errors"] == []
    assert [each["error"] for each in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_kubernetes_takes_what_is_rendered(values: dict[str, Any], version: str) -> None:
    """Every object fits the schema of its kind, strictly: no field that Kubernetes does not know."""
    for manifest in rendered(values):
        if manifest["kind"] not in CUSTOM:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_every_process_has_a_deployment_with_probes_and_limits() -> None:
    """The same processes as on one machine, each probed, bounded, without rights, and given time to finish."""
    deployments = of_kind("Deployment", rendered())
    processes = {service.name: service.arguments for service in SERVICES if service.name != "mail"}
    assert deployments.keys() == {f"shop-bonus-ledger-{name}" for name in processes}
    for name, arguments in processes.items():
        pod = deployments[f"shop-bonus-ledger-{name}"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert tuple(container["args"][:2]) == arguments[:2]
        assert {
            probe: container[probe]["httpGet"] for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        } == {
            "livenessProbe": {"path": "/health/live", "port": "http"},
            "readinessProbe": {"path": "/health/ready", "port": "http"},
            "startupProbe": {"path": "/health/live", "port": "http"},
        }
        assert container["resources"]["limits"]["memory"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["terminationGracePeriodSeconds"] > 20
        assert pod["automountServiceAccountToken"] is False


def test_the_probed_port_is_the_one_that_the_process_listens_on() -> None:
    """Servers on their own port, workers on the one for metrics."""
    for deployment in of_kind("Deployment", rendered({"metricsPort": 9100})).values():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        (port,) = container["ports"]
        variables = {each["name"]: each.get("value") for each in container["env"]}
        listens = container["args"][-1] if "--port" in container["args"] else variables["BONUS_METRICS_PORT"]
        assert (port["name"], str(port["containerPort"])) == ("http", listens)
        assert variables["BONUS_METRICS_HOST"] == "0.0.0.0"  # noqa: S104 - a pod's probes come from outside of it


def test_secrets_stand_in_no_value() -> None:
    """What is secret is named, never written; the key that signs confirmations is the notifier's alone."""
    own = {
        "ledger": {"BONUS_CONFIRMATION_PUBLIC_KEY": {"name": "bonus-ledger", "key": "confirmation-public-key"}},
        "notifier": {"BONUS_CONFIRMATION_KEY": {"name": "bonus-ledger", "key": "confirmation-key"}},
    }
    for deployment in of_kind("Deployment", rendered(EVERYTHING)).values():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        secret = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"] if "valueFrom" in each}
        assert secret == {
            "BONUS_POSTGRES_DSN": {"name": "bonus-ledger", "key": "postgres-dsn"},
            "BONUS_MASTER_KEYS": {"name": "bonus-ledger", "key": "master-keys"},
            "BONUS_IDENTIFIER_KEY": {"name": "bonus-ledger", "key": "identifier-key"},
            "BONUS_SMTP_USERNAME": {"name": "bonus-ledger", "key": "smtp-user"},
            "BONUS_SMTP_PASSWORD": {"name": "bonus-ledger", "key": "smtp-password"},
        } | own.get(container["args"][0], {})
        names = [each["name"] for each in container["env"]]
        assert len(names) == len(set(names))


def test_settings_are_those_that_the_services_know() -> None:
    """A variable that no setting reads would be a wish that nobody hears."""
    models = (LedgerSettings, RulesSettings, NotifierSettings)
    known = {f"BONUS_{name.upper()}" for model in models for name in model.model_fields}
    for deployment in of_kind("Deployment", rendered(EVERYTHING)).values():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert {each["name"] for each in container["env"]} <= known


def test_a_process_has_its_own_settings_and_as_many_replicas_as_told() -> None:
    """None too: a process can be switched off. Its settings stand before those of all."""
    processes = {
        "ledger-work": {"arguments": ["ledger", "work"], "replicas": 0, "settings": {"BONUS_LOG_LEVEL": "ERROR"}},
        "rules-work": {"arguments": ["rules", "work"], "replicas": None},
    }
    manifests = rendered({"settings": {"BONUS_LOG_LEVEL": "INFO"}, "processes": processes})
    deployments = of_kind("Deployment", manifests)
    off = deployments["shop-bonus-ledger-ledger-work"]["spec"]
    assert off["replicas"] == 0
    environment = off["template"]["spec"]["containers"][0]["env"]
    assert {"name": "BONUS_LOG_LEVEL", "value": "ERROR"} in environment
    assert "shop-bonus-ledger-ledger-work" not in of_kind("PodDisruptionBudget", manifests)


def test_migrations_and_topics_come_before_everything_else() -> None:
    """A hook job makes the topics, then the tables; it depends on nothing that the release itself makes."""
    job = of_kind("Job", rendered())["shop-bonus-ledger-migrate"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    pod = job["spec"]["template"]["spec"]
    assert [each["args"] for each in (*pod["initContainers"], *pod["containers"])] == [
        ["topics", "--replicas", "3", "--retention-days", "30"],
        ["migrate"],
    ]
    assert "serviceAccountName" not in pod
    without = of_kind("Job", rendered({"kafka": {"topics": {"create": False}}}))
    assert "initContainers" not in without["shop-bonus-ledger-migrate"]["spec"]["template"]["spec"]
    assert of_kind("Job", rendered({"migrations": {"enabled": False}})) == {}


def test_metrics_are_scraped_from_every_process() -> None:
    """One ServiceMonitor selects the Service of each process by labels that each of them has."""
    manifests = rendered(EVERYTHING)
    services = of_kind("Service", manifests)
    (monitor,) = of_kind("ServiceMonitor", manifests).values()
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    assert len(services) == len(of_kind("Deployment", manifests))
    for service in services.values():
        assert wanted <= service["metadata"]["labels"].items()
        assert [port["name"] for port in service["spec"]["ports"]] == [monitor["spec"]["endpoints"][0]["port"]]
    assert of_kind("ServiceMonitor", rendered()) == {}


def test_alerts_are_those_that_the_local_prometheus_has() -> None:
    """One PrometheusRule with the file of alerts as it stands, under the labels that the operator looks for."""
    (rule,) = of_kind("PrometheusRule", rendered(EVERYTHING)).values()
    assert (rule["apiVersion"], rule["metadata"]["labels"]["release"]) == ("monitoring.coreos.com/v1", "prometheus")
    assert rule["spec"] == yaml.safe_load((CHART / "alerts.yaml").read_text())
    compose = yaml.safe_load((CHART.parent / "compose.yaml").read_text())
    assert "./helm/alerts.yaml:/etc/prometheus/alerts.yaml:ro" in compose["services"]["prometheus"]["volumes"]
    assert of_kind("PrometheusRule", rendered()) == {}


def test_selectors_choose_their_own_pods_alone() -> None:
    """Deployment, Service and budget of a process choose its pods, and those of no other."""
    manifests = rendered()
    pods = {
        name: each["spec"]["template"]["metadata"]["labels"] for name, each in of_kind("Deployment", manifests).items()
    }

    def chosen(selector: dict[str, str]) -> list[str]:
        return [name for name, labels in pods.items() if selector.items() <= labels.items()]

    for name, deployment in of_kind("Deployment", manifests).items():
        assert chosen(deployment["spec"]["selector"]["matchLabels"]) == [name]
    for name, service in of_kind("Service", manifests).items():
        assert chosen(service["spec"]["selector"]) == [name]
    for name, budget in of_kind("PodDisruptionBudget", manifests).items():
        assert chosen(budget["spec"]["selector"]["matchLabels"]) == [name]


@pytest.mark.parametrize(
    "values",
    [
        {"unknown": 1},
        {"kafka": {"bootstrap": "no-port"}},
        {"metricsPort": 70_000},
        {"settings": {"LOG_LEVEL": "INFO"}},
        {"secret": {"name": ""}},
        {"mail": {"security": "ssl"}},
        {"processes": {"Bad_Name": {"arguments": ["ledger", "work"]}}},
        {"processes": {"x": {"arguments": []}}},
    ],
)
def test_values_that_are_wrong_are_refused(values: dict[str, Any]) -> None:
    """By the chart's schema, before anything is installed."""
    with pytest.raises(helm_python.HelmError):
        rendered(values)


def test_long_release_names_make_names_that_kubernetes_takes() -> None:
    """A Service's name has at most 63 characters."""
    for manifest in rendered(name="a" * 53):
        assert len(manifest["metadata"]["name"]) <= 63


def test_every_command_exists(unknown_options: Callable[[Sequence[str]], set[str]]) -> None:
    """What a pod runs is a command of `bonus`, with these options."""
    manifests = rendered()
    pods = [each["spec"]["template"]["spec"] for each in manifests if each["kind"] in {"Deployment", "Job"}]
    for pod in pods:
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            assert unknown_options(container["args"]) == set()
