"""Routes about copies: find them, page through groups, decide, plan, carry out and take back."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import anyio
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from mobisearch.web.clearing import Copies
from mobisearch.web.copy_documents import (
    CopiesDocument,
    DecidedDocument,
    DecisionBody,
    FindBody,
    GroupsDocument,
    PlanBody,
    PlanDocument,
    PlansDocument,
    PlanSummaryDocument,
    ReportDocument,
)
from mobisearch.web.documents import MAX_ID
from mobisearch.web.failures import describe_failures
from mobisearch.web.state import WebState

_ANSWERS = describe_failures(403, 404, 409, 422, 503)
_PlanId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def copies_router(state: WebState) -> APIRouter:
    """Return the routes about copies."""
    router = APIRouter(prefix="/api/copies", tags=["copies"])
    copies = Copies(state)

    @router.post("", status_code=202, responses=_ANSWERS)
    def find_copies(body: FindBody) -> CopiesDocument:
        """Look for copies in the background. A search that is under way goes on."""
        copies.start(body)
        return copies.status()

    @router.get("", responses=_ANSWERS)
    def read_copies() -> CopiesDocument:
        """Return how the search stands, and what the last one found."""
        return copies.status()

    @router.delete("", status_code=202, responses=_ANSWERS)
    def stop_copies() -> CopiesDocument:
        """Ask a search to end. What it found out is kept for the next one."""
        copies.job.stop()
        return copies.status()

    @router.get("/groups", responses=_ANSWERS)
    def list_groups(
        offset: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> GroupsDocument:
        """Return groups, those first that free most."""
        return copies.page(offset, limit)

    @router.get(
        "/groups/{key}/difference",
        response_class=Response,
        responses={
            200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
            **_ANSWERS,
        },
    )
    async def read_difference(
        key: Annotated[str, Path(max_length=64)], image: Annotated[int, Query(ge=1, le=MAX_ID)]
    ) -> Response:
        """Return where an image differs from the one kept: red differs, blue only one shows."""
        jpeg = await anyio.to_thread.run_sync(copies.difference, key, image, limiter=state.drawing)
        return Response(jpeg, media_type="image/jpeg")

    @router.post("/decisions", status_code=201, responses=_ANSWERS)
    def decide(body: DecisionBody) -> DecidedDocument:
        """Remember that images are different pictures, or that all of them stay."""
        return copies.decide(body)

    @router.post("/plan", status_code=201, responses=_ANSWERS)
    def make_plan(body: PlanBody) -> PlanDocument:
        """Make a plan. Nothing is changed by it."""
        return copies.plan(body)

    @router.get("/plans", responses=_ANSWERS)
    def list_plans() -> PlansDocument:
        """Return the plans that were begun, on the page or by the command."""
        return PlansDocument(
            plans=[PlanSummaryDocument(**dataclasses.asdict(plan)) for plan in state.index.plans()]
        )

    @router.post("/plan/{plan}/apply", responses=_ANSWERS)
    def carry_out(plan: _PlanId) -> ReportDocument:
        """Carry out a plan. Each file is read again and checked first; nothing is deleted."""
        return copies.apply(plan)

    @router.post("/plan/{plan}/undo", responses=_ANSWERS)
    def take_back(plan: _PlanId) -> ReportDocument:
        """Take back what was done for a plan."""
        return copies.undo(plan)

    return router
