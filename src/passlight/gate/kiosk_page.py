"""The page of the screen: one HTML document and the few files that it loads, all of this box."""

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from passlight.runtime.catalogue import catalogue

FOLDER: Final = Path(__file__).parent / "static"
KINDS: Final = {
    "kiosk.js": "text/javascript",
    "kiosk.css": "text/css",
    "tokens.css": "text/css",
    "components.css": "text/css",
    "icons.svg": "image/svg+xml",
}
_WORDS: Final = ("kiosk.device.", "kiosk.prompt.", "kiosk.vendor.", "kiosk.command.")

_PAGE: Final = """<!doctype html>
<html lang="{lang}" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/static/tokens.css">
<link rel="stylesheet" href="/static/components.css">
<link rel="stylesheet" href="/static/kiosk.css">
<link rel="icon" href="/static/icons.svg">
</head>
<body class="kiosk" data-icons="" data-screen="start">
<main class="k" id="kiosk">
<noscript><p class="k-do">{noscript}</p></noscript>
</main>
<script type="application/json" id="messages">{messages}</script>
<script type="application/json" id="settings">{settings}</script>
<script type="module" src="/static/kiosk.js"></script>
</body>
</html>
"""


def page(*, language: str, token: str, boot: str, settings: Mapping[str, Any]) -> str:
    """Return the document; the words are in it, so that it needs nothing later."""
    words = {
        code: texts
        for code, texts in catalogue().items()
        if code.startswith("kiosk.") and not code.startswith(_WORDS)
    }
    title = catalogue()["kiosk.title"]["en" if language == "en" else "zh"]
    return _PAGE.format(
        lang="en" if language == "en" else "zh-Hans",
        title=html.escape(title),
        noscript=html.escape(catalogue()["kiosk.noscript"]["zh"]),
        messages=_data(words),
        settings=_data({**settings, "token": token, "boot": boot}),
    )


def static_file(name: str) -> tuple[bytes, str] | None:
    """Return one of the page's files and its kind; there are no others."""
    kind = KINDS.get(name)
    if kind is None:
        return None
    for folder in (FOLDER / "dist", FOLDER):
        path = folder / name
        if path.is_file():
            return path.read_bytes(), kind
    return None


def built() -> bool:
    """Return whether every file of the page is there (``npm run build``)."""
    return all(static_file(name) is not None for name in KINDS)


def _data(content: Any) -> str:
    """Return JSON that no browser takes for markup."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("&", "\\u0026")
