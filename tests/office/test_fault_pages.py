"""A view that fails: while the database is away the page says so, and when to come again."""

import pytest
from django.core.handlers.exception import response_for_exception
from django.db import OperationalError
from django.http import HttpResponse
from django.test import RequestFactory

from passlight.runtime.catalogue import both


def answer_to(error: Exception) -> HttpResponse:
    """Return what the office answers when a view ends with ``error``."""
    try:
        raise error
    except type(error) as raised:
        return response_for_exception(RequestFactory().get("/me/"), raised)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("connection refused"), 503, "pages.error_away"),
        (ValueError("a defect"), 500, "pages.error_server"),
    ],
)
def test_the_page_says_what_is_the_matter(error: Exception, status: int, code: str) -> None:
    answer = answer_to(error)
    page = answer.content.decode()
    assert answer.status_code == status
    assert both(code)["zh"] in page
    assert str(error) not in page, "the reason is for the log"
    assert answer.get("Retry-After") == ("5" if status == 503 else None)
