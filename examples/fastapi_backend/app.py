"""A web backend on Metron: series that are suggested while you type, and their issues.

Without an account it serves a made-up catalogue. With METRON_TOKEN set, it reads from
metron.cloud::

    python -m pip install fastapi uvicorn
    python -m uvicorn --app-dir examples fastapi_backend.app:app
    METRON_TOKEN=... python -m uvicorn --app-dir examples fastapi_backend.app:app --workers 4

Then open http://127.0.0.1:8000/. The workers share the account's quota and the cache through files,
without anything to set up.
"""

import contextlib
import dataclasses
import datetime as dt
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel

from fastapi_backend.answers import refusal
from fastapi_backend.disconnect import BrowserLeftError, while_connected
from fastapi_backend.typeahead import Typeahead
from metron_async import AsyncMetron, MetronError, MetronView, Priority

PAGE = Path(__file__).with_name("page.html")
Id = Annotated[int, InPath(gt=0, lt=2**31)]


def connect() -> AsyncMetron:
    """Return a client for metron.cloud if there is an account, else for a made-up server."""
    if os.environ.get("METRON_TOKEN"):
        return AsyncMetron(user_agent="metron_async-backend/1.0")
    from metron_async.testing import FakeMetron

    fake = FakeMetron()
    return AsyncMetron(token=fake.token, transport=fake.transport())


@dataclasses.dataclass(frozen=True, slots=True)
class Backend:
    """Objects that the handlers share.

    Attributes:
        metron: The client, for interactive calls.
        typeahead: Suggestions.
    """

    metron: MetronView
    typeahead: Typeahead


class SeriesHit(BaseModel):
    """A series that was suggested."""

    id: int
    name: str
    issues: int


class IssueRow(BaseModel):
    """An issue in the list of a series."""

    id: int
    number: str
    cover_date: dt.date
    cover: str | None


class Credit(BaseModel):
    """A creator and the creator's roles."""

    creator: str
    roles: list[str]


class IssueInFull(BaseModel):
    """An issue."""

    id: int
    series: str
    number: str
    titles: list[str]
    cover: str | None
    text: str
    credits: list[Credit]


class Quota(BaseModel):
    """Current state of the account's quota."""

    minute_left: int
    day_left: int
    requests: int
    from_cache: int
    shared: int


async def backend_of(request: Request) -> Backend:
    """Return the shared objects."""  # async, because FastAPI runs other functions in a thread
    backend = request.app.state.backend
    assert isinstance(backend, Backend)  # noqa: S101 - for the type checkers
    return backend


Shared = Annotated[Backend, Depends(backend_of)]


def create_app(connect: Callable[[], AsyncMetron] = connect) -> FastAPI:
    """Build the application.

    Args:
        connect: Makes the client when the application starts. Tests pass a function of their own.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with connect() as metron:
            # Users wait for these calls: they go first, and an error after two seconds is better
            # than a page that hangs.
            quick = metron.with_options(priority=Priority.INTERACTIVE, max_wait=2, timeout=10)
            app.state.backend = Backend(quick, Typeahead(quick))
            yield

    app = FastAPI(title="Comics", lifespan=lifespan)
    app.add_exception_handler(MetronError, _refuse)
    app.add_exception_handler(BrowserLeftError, _browser_left)
    _add_routes(app)
    return app


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, MetronError)  # noqa: S101 - it is registered for nothing else
    answer = refusal(error)
    headers = {} if answer.retry_after is None else {"Retry-After": str(answer.retry_after)}
    return JSONResponse({"detail": answer.message}, answer.status, headers)


async def _browser_left(_: Request, __: Exception) -> Response:
    return Response(status_code=499)  # what proxies write into their logs


def _add_routes(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    def page() -> HTMLResponse:
        """Serve a page to try it with."""
        return HTMLResponse(PAGE.read_text(encoding="utf-8"))

    @app.get("/api/typeahead")
    async def typeahead(
        request: Request,
        response: Response,
        shared: Shared,
        q: Annotated[str, Query(max_length=100)] = "",
    ) -> list[SeriesHit]:
        """Suggest series for the letters typed so far."""
        rows = await while_connected(request, shared.typeahead.suggest(q))
        response.headers["Cache-Control"] = "private, max-age=60"  # for the backspace key
        return [SeriesHit(id=row.id, name=row.display_name, issues=row.issue_count) for row in rows]

    @app.get("/api/series/{number}/issues")
    async def issues(
        request: Request, shared: Shared, number: Id, page: Annotated[int, Query(ge=1)] = 1
    ) -> list[IssueRow]:
        """List the issues of a series, up to a hundred to a page."""
        found = await while_connected(
            request, shared.metron.issues.iter(series_id=number).page(page)
        )
        return [
            IssueRow(id=row.id, number=row.number, cover_date=row.cover_date, cover=row.image)
            for row in found.rows
        ]

    @app.get("/api/issues/{number}")
    async def issue(request: Request, shared: Shared, number: Id) -> IssueInFull:
        """Return the details of an issue."""
        found = await while_connected(request, shared.metron.issues.get(number))
        return IssueInFull(
            id=found.id,
            series=found.series.name,
            number=found.number,
            titles=list(found.story_titles),
            cover=found.image,
            text=found.desc,
            credits=[
                Credit(creator=credit.creator, roles=[role.name for role in credit.role])
                for credit in found.credits
            ],
        )

    @app.get("/api/quota")
    async def quota(shared: Shared) -> Quota:
        """Return the current quota state; this costs no request."""
        state, stats = await shared.metron.quota(), shared.metron.stats
        return Quota(
            minute_left=state.burst.remaining,
            day_left=state.sustained.remaining,
            requests=stats.requests,
            from_cache=stats.hits,
            shared=stats.coalesced,
        )


app = create_app()
