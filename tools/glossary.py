"""Is every public class of the core, and every Django model, explained in GLOSSARY.md?

One concept, one name: a name that is in the code and not in the glossary is either new
(then say what it is) or a second name for an old thing (then rename it).
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORD = re.compile(r"`(\w+)`")
# Errors, protocols of the language and Django's own scaffolding explain themselves.
PLAIN = re.compile(r"(Error|Config|View|Form|Meta|Test)$|^_")


def names() -> dict[str, str]:
    """Return the class names that the glossary must hold, each with its file."""
    found: dict[str, str] = {}
    files = [*(ROOT / "src/passlight/core").rglob("*.py")]
    files += (ROOT / "src/passlight/office").rglob("models*.py")
    files += (ROOT / "src/passlight/office").rglob("models/*.py")
    for path in files:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not PLAIN.search(node.name):
                found.setdefault(node.name, str(path.relative_to(ROOT)))
    return found


def main() -> int:
    """Print the names that are missing; return 1 when there is one."""
    listed = set(WORD.findall((ROOT / "GLOSSARY.md").read_text(encoding="utf-8")))
    missing = {name: path for name, path in names().items() if name not in listed}
    for name, path in sorted(missing.items()):
        print(f"GLOSSARY.md has no entry for {name} ({path})")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
