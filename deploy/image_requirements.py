"""The part of the lock that services need to run: what the image installs.

    python deploy/image_requirements.py requirements.in requirements.txt

prints those entries of the lock, with their hashes, that the section `# Runtime` of requirements.in leads to. It needs
nothing but the standard library, because the image's first stage runs it before anything is installed.
"""

import re
import sys
from pathlib import Path
from typing import Final

SECTION: Final = "# Runtime"
DIRECT: Final = "-r requirements.in"

_PACKAGE: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==")
_VIA: Final = re.compile(r"^\s+#\s+(via\s*)?(?P<parent>\S.*)?$")


def runtime_roots(wanted: str) -> set[str]:
    """The names in the runtime section of requirements.in."""
    section = wanted.partition(SECTION)[2].partition("\n#")[0]
    return {_name(line) for line in section.splitlines() if line.strip()}


def entries(lock: str) -> dict[str, tuple[str, set[str]]]:
    """Each package of the lock: its text, and what it is there for (`via`)."""
    found: dict[str, tuple[str, set[str]]] = {}
    for text in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        named = _PACKAGE.match(text)
        if named is None:
            continue
        parents = {
            _name(match["parent"]) for line in text.splitlines() if (match := _VIA.match(line)) and match["parent"]
        }
        found[_name(named["name"])] = (text, parents)
    return found


def runtime_entries(wanted: str, lock: str, also: frozenset[str] = frozenset()) -> str:
    """The entries of the lock that the runtime needs, and those named in `also`.

    Raises KeyError for a package that the lock does not have.
    """
    packages = entries(lock)
    needed = runtime_roots(wanted) | also
    found = 0
    while len(needed) != found:
        found = len(needed)
        needed |= {name for name, (_, parents) in packages.items() if parents & needed}
    return "".join(packages[name][0] for name in sorted(needed))


def _name(requirement: str) -> str:
    """The normalized name (PEP 503) in a requirement, extras left out."""
    if requirement.strip() == DIRECT:
        return DIRECT
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!;\s]", requirement.strip(), maxsplit=1)[0]).lower()


if __name__ == "__main__":
    sys.stdout.write(
        runtime_entries(Path(sys.argv[1]).read_text(), Path(sys.argv[2]).read_text(), frozenset(sys.argv[3:]))
    )
