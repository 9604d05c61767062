"""`python -m services.rules.programme_file FILE…`: what is wrong with programme files, before they go anywhere."""

import sys
from pathlib import Path

from services.rules.domain.programme import ProgrammeVersion
from services.rules.programme_file.loading import load


def main(paths: list[str]) -> int:
    """Print every fault as an editor understands it (file:line:column), and 1 if there is any."""
    wrong = 0
    for path in paths:
        found = load(Path(path).read_text(encoding="utf-8"))
        if isinstance(found, ProgrammeVersion):
            sys.stdout.write(f"{path}: {found.key}, {len(found.rules)} rules, nothing wrong\n")
            continue
        wrong += len(found)
        for error in found:
            mend = f" ({error.suggestion})" if error.suggestion else ""
            sys.stdout.write(f"{path}:{error.line}:{error.column}: {error.path}: {error.message}{mend}\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
