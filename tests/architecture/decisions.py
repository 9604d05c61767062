"""The list of decisions, docs/adr/README.md: `make docs` writes it."""

from pathlib import Path
from typing import Final

DIRECTORY: Final = Path(__file__).resolve().parents[2] / "docs" / "adr"
INDEX: Final = DIRECTORY / "README.md"
PARTS: Final = {
    1: "What crosses a boundary",
    10: "How a service runs",
    20: "The books",
    50: "What a purchase earns",
    60: "Who a purchase belongs to",
    70: "Deciding, in order and late",
    80: "Contracts, members, deployment",
    100: "Later",
}
"""Numbers are given by part, from each of these on."""


def decisions() -> dict[int, tuple[str, str]]:
    """File and title of every decision by its number."""
    found = {}
    for file in sorted(DIRECTORY.glob("[0-9]*.md")):
        number, _, title = file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").partition(". ")
        found[int(number)] = (file.name, title)
    return found


def index() -> str:
    """The list, as it stands in the file."""
    lines = [
        "# Decisions",
        "",
        "Why things are as they are, and what was weighed. Numbers have gaps; they are never reused.",
    ]
    part = ""
    for number, (name, title) in sorted(decisions().items()):
        own = PARTS[max(first for first in PARTS if first <= number)]
        if own != part:
            part = own
            lines += ["", f"## {part}", ""]
        lines.append(f"- [{number}. {title}]({name})")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    INDEX.write_text(index(), encoding="utf-8")
