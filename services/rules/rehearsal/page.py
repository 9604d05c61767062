"""The page of a rehearsal: to be shown to whoever decides. One file, with nothing from elsewhere."""

from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, StrictUndefined, select_autoescape
from markupsafe import Markup

from services.rules.domain.tally import RETURNED
from services.rules.explanation.languages import number
from services.rules.rehearsal import charts
from services.rules.rehearsal.words import WORDS
from services.runtime.http.languages import Language

_TEMPLATE: Final = (
    resources.files(__package__).joinpath("templates").joinpath("report.html.j2").read_text(encoding="utf-8")
)
_ENVIRONMENT: Final = Environment(
    autoescape=select_autoescape(default=True, default_for_string=True), undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_PAGE: Final = _ENVIRONMENT.from_string(_TEMPLATE)

_DIMENSIONS: Final = ("rule", "tier", "segment")


def page_of(said: Mapping[str, Any], language: Language) -> str:
    """The page of a rehearsal as the API tells it, done or not."""
    words = WORDS[language]
    report = said["report"]
    other = "version" if report and report["against"] == "version" else "live"
    return _PAGE.render(
        said=said,
        report=report,
        words=words,
        language=language,
        other=words[other],
        dimensions=[each for each in _DIMENSIONS if report and any(row[each] for row in report["by"][each])],
        money=lambda text: f"{number(text, language)} {report['money']}",
        points=lambda points: ", ".join(f"{number(text, language)} {key}" for key, text in points.items()) or "0",
        named=lambda value: words["returned"] if value == RETURNED else value or words["none"],
        day=lambda at: str(at)[:10],
        months=_months(report, words) if report else "",
        curves=[_curve(budget) for budget in report["budgets"]] if report else [],
    )


def _months(report: Mapping[str, Any], words: Mapping[str, str]) -> Markup:
    rows = report["by"]["month"]
    pairs = [(float(row["rehearsed"]["money"]), float(row["live"]["money"])) for row in rows]
    return Markup(charts.bars([row["month"] for row in rows], pairs, words["month"]))  # noqa: S704 - escaped there


def _curve(budget: Mapping[str, Any]) -> tuple[Mapping[str, Any], Markup]:
    days = budget["days"]
    drawn = charts.curve(
        [float(day["used"]) for day in days], float(budget["total"]), [day["day"] for day in days], budget["rule"]
    )
    return budget, Markup(drawn)  # noqa: S704 - escaped there
