"""The office's log: a failed request leaves its traceback and its route, not its address."""

import logging

import pytest
from django.core.handlers.exception import response_for_exception
from django.test import RequestFactory
from django.urls import resolve

from passlight.office.pages.log import RouteOnly


def test_an_error_is_logged_by_route_and_not_by_address(caplog):
    path = "/statuses/p-0123456789abcdef0123456789abcdef/"
    request = RequestFactory().get(path)
    request.resolver_match = resolve(path)
    try:
        raise RuntimeError("broken")
    except RuntimeError as error:
        with (
            caplog.at_level(logging.ERROR, logger="django.request"),
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr(caplog.handler, "filters", [RouteOnly()])
            response_for_exception(request, error)
    assert "RuntimeError: broken" in caplog.text
    assert "statuses/<" in caplog.text
    assert "0123456789abcdef" not in caplog.text.split("Traceback")[0]
