"""Are the translations complete? Every code has Chinese and English with the same parameters,
every code that source names is in the catalogue, and no Chinese text stands in a template."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter

import yaml

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "src/passlight/catalogue"
HAN = re.compile(r"[\u4e00-\u9fff]")
USES = [
    re.compile(r"""\{%\s*(?:t|en|two)\s+["']([a-z_]+\.[\w.-]+)["']"""),
    re.compile(r"""(?<![\w.])(?:text|both)\(\s*["']([a-z_]+\.[\w.-]+)["']"""),
]
COMMENT = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}|<!--.*?-->", re.DOTALL)
# A language names itself in its own script, and a name stays as its bearer writes it.
SELF_NAMES = {"中文", "赵*国"}


def parameters(message: str) -> set[str]:
    """Return the names of the parameters of one message."""
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def incomplete(name: str, entries: Mapping[str, object]) -> Iterator[str]:
    """Yield what is missing or unequal in one catalogue file."""
    for code, texts in entries.items():
        if not isinstance(texts, dict) or not all(
            str(texts.get(k) or "").strip() for k in ("zh", "en")
        ):
            yield f"{name}: {code} needs both zh and en"
        elif set(texts) != {"zh", "en"}:
            # `{zh: 一, en: One, two}` is read as three keys: the text is cut at its comma.
            yield f"{name}: {code} is cut at a comma; put the text in quotes"
        elif parameters(str(texts["zh"])) != parameters(str(texts["en"])):
            yield f"{name}: {code} has other parameters in zh than in en"
        elif HAN.search(str(texts["en"])) and not any(s in str(texts["en"]) for s in SELF_NAMES):
            yield f"{name}: {code} has Chinese in its English text"


def hard_coded(path: Path, text: str) -> Iterator[str]:
    """Yield the lines of a template that carry Chinese text instead of a message code."""
    bare = COMMENT.sub("", text)
    for line in bare.splitlines():
        rest = line
        for name in SELF_NAMES:
            rest = rest.replace(name, "")
        if HAN.search(rest):
            yield f"{path.relative_to(ROOT)}: text outside the catalogue: {line.strip()[:70]}"


def main() -> int:
    """Print what is incomplete; return 1 when there is something."""
    found: list[str] = []
    known: set[str] = set()
    for path in sorted(CATALOGUE.glob("*.yaml")):
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        known |= set(entries)
        found += incomplete(path.name, entries)
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in {".py", ".html"}:
            continue
        text = path.read_text(encoding="utf-8")
        for pattern in USES:
            found += [
                f"{path.relative_to(ROOT)}: no message {code}"
                for code in pattern.findall(text)
                if code not in known
            ]
        if path.suffix == ".html":
            found += hard_coded(path, text)
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
