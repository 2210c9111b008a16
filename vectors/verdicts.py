"""Writes ``vectors/verdicts/*.json`` from the rows that were worked out by hand.

    python vectors/verdicts.py [FOLDER]

It turns times into seconds and adds the policies; no code of Passlight takes part, and no
expectation is computed.
"""

import json
import sys
from pathlib import Path

from verdict_policies import POLICIES
from verdict_rows import FILES


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for about, vectors in FILES.items():
        used = {row["policy"] for row in vectors}
        policies = {name: POLICIES[name] for name in POLICIES if name in used}
        content = {"about": about, "policies": policies, "vectors": vectors}
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (folder / f"{about}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "verdicts")
