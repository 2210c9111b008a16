"""``python -m passlight.gate --config FILE``: run the door; ``passlight gate`` does more."""

import argparse
import sys
from pathlib import Path

from passlight.core.kernel.problem import ProblemError
from passlight.gate.running import run_door


def main() -> int:
    """Serve the door until SIGTERM; 2 when its configuration is no good."""
    parser = argparse.ArgumentParser(prog="python -m passlight.gate", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("gate.toml"))
    path: Path = parser.parse_args().config
    try:
        run_door(path)
    except (ProblemError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
