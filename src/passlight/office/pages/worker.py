"""The service worker of a page that must open without network."""

from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import Http404, HttpResponse


def serve_worker() -> HttpResponse:
    """Return the script; a worker's scope is the folder it is served from, and no more."""
    found = finders.find("dist/worker.js")
    if not isinstance(found, str):
        raise Http404
    return HttpResponse(
        Path(found).read_bytes(),
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )
