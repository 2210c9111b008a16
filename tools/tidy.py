"""House rules that no linter knows; `tests/tools/test_tidy.py` shows that each can fail.

Limits are design.md 2's: a file of 500 lines, a function of 70. A longer file says why at its
top in a line that begins with "Long because".
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
CATCH_ALL = {"utils", "util", "common", "misc", "manager", "helpers", "base", "tools", "lib"}
BANNED = {
    "a path of a machine": re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w"),
    "something unfinished": re.compile(r"NotImplementedError|\bTODO\b|\bFIXME\b|lorem ipsum"),
    "a registry host": re.compile(r"https?://(?:registry|files|deb|pypi)\.[a-z.]+"),
}
SOURCE = {".py", ".ts", ".css", ".html", ".sh", ".yaml", ".toml", ".md", ".typ"}
LOCKS = {"uv.lock", "package-lock.json"}
PROSE = {".md"}


def problems_in(path: Path, text: str) -> Iterator[str]:
    """Yield one sentence for each broken rule in one file."""
    lines = text.splitlines()
    if path.stem in CATCH_ALL and path.suffix == ".py":
        yield f"{path}: '{path.stem}' says nothing; name the file after the noun it defines"
    head = "\n".join(lines[:30])
    long_file = path.suffix in {".py", ".ts"} and len(lines) > FILE_LINES_MAX
    if long_file and "Long because" not in head:
        yield f"{path}: {len(lines)} lines (at most {FILE_LINES_MAX}); find the second noun in it"
    if path.name not in LOCKS:
        yield from _banned(path, lines)
    if path.suffix == ".py" and "migrations" not in path.parts:
        yield from _long_functions(path, text)


def _banned(path: Path, lines: list[str]) -> Iterator[str]:
    own = path.parts[:1] == ("tools",) or path.name == "test_tidy.py"
    for number, line in enumerate(lines, 1):
        for what, pattern in BANNED.items():
            if pattern.search(line) and not own:
                yield f"{path}:{number}: {what}: {line.strip()[:80]}"


def _long_functions(path: Path, text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX and path.parts[0] == "src":
                yield (
                    f"{path}:{node.lineno}: {node.name} has {length} lines "
                    f"(at most {FUNCTION_LINES_MAX})"
                )


def tracked() -> Iterator[Path]:
    """Yield the source files that git tracks."""
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        path = Path(name)
        if path.suffix in SOURCE and path.exists():
            yield path


def main() -> int:
    """Print every broken rule; return 1 when there is one."""
    found = [
        problem
        for path in tracked()
        for problem in problems_in(path, path.read_text(encoding="utf-8"))
    ]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
