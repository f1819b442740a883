"""What Prometheus scrapes from an api: its own counters, and the gauges of the queue."""

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from services import gauges, metrics, scraping
from services.db import reading

router = APIRouter(include_in_schema=False)


@router.get(scraping.PATH)
def read(request: Request) -> Response:
    """Counters of this process, then queue and workers; an unknown address to whoever may not read them."""
    allowed = scraping.may_read(
        client=request.client.host if request.client else "",
        authorization=request.headers.get("authorization"),
        forwarded="x-forwarded-for" in request.headers,
    )
    if not allowed:
        raise HTTPException(404)
    with reading() as db:
        return Response(metrics.text() + gauges.text(db), media_type=metrics.CONTENT_TYPE)
