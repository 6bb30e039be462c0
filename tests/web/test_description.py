"""The OpenAPI description, held against what the server does with odd requests made from it."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import (
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from mobisearch import ImageIndex
from mobisearch.web import WebSettings, create_app
from tests.web.conftest import HOST

_CHECKS = (not_a_server_error, status_code_conformance, response_schema_conformance)
_TOKEN = "x" * 40
_HEADERS = {"Authorization": f"Bearer {_TOKEN}", "Host": HOST}
_ENDLESS = {("GET", "/api/events"), ("POST", "/api/copies"), ("POST", "/api/map")}
"""A stream of events has no end, and what works in the background goes on after its answer."""

_N_CASES = 12


def test_no_request_of_the_description_breaks_the_server(served: ImageIndex) -> None:
    app = create_app(served, WebSettings(frozenset({HOST}), token=_TOKEN))
    loaded = schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=_HEADERS)
    operations = [found.ok() for found in loaded.get_all_operations()]
    asked = [each for each in operations if (each.method.upper(), each.path) not in _ENDLESS]
    assert len(asked) == len(operations) - len(_ENDLESS)
    for operation in asked:

        @settings(
            max_examples=_N_CASES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=_HEADERS, checks=_CHECKS)

        ask()
