"""Makes the keys that deploy/compose.yaml hands to the services, once: `python -m deploy.compose_keys`.

They are for trying things on one machine; a real deployment brings its own by the chart's secrets.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.local.keys import Keys
from deploy.local.state import write_whole

DIRECTORY: Final = Path(__file__).resolve().parent / ".compose"
ENVIRONMENT_FILE: Final = "keys.env"
OWNER_ONLY: Final = 0o600


def make(directory: Path = DIRECTORY) -> Path:
    """Make what is missing in `directory`; gives the file of variables that the containers read."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / ".gitignore").write_text("*\n")
    keys = Keys(directory)
    keys.ensure()
    # Files are mounted, each container reads the public key there; all other keys go by value.
    secrets = {name: value for name, value in keys.environment().items() if not name.endswith("_FILE")}
    file = directory / ENVIRONMENT_FILE
    write_whole(file, "".join(f"{name}={value}\n" for name, value in secrets.items()), mode=OWNER_ONLY)
    return file


if __name__ == "__main__":
    made = make()
    token = Keys(DIRECTORY).token(datetime.now(UTC))
    print(f"keys for compose are in {made}\nexport BONUS_TOKEN={token}")  # noqa: T201 - this is a command
