"""The HTTP API: `uvicorn services.api.app:app`."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from services.api import (
    budget,
    chat,
    credit_notes,
    errors,
    files,
    fine_tuning,
    health,
    invoice_files,
    invoices,
    metrics,
    models,
    payments,
    predict,
    uploads,
    usage,
    usage_events,
    versions,
)
from services.api.envelope import Envelope
from services.errors import ServiceError

_DESCRIPTION = """
Fine-tune a small language model on your own labelled text, and predict with it.

Send `Authorization: Bearer tp_…` with a key from the *API keys* page. Files, fine-tuning jobs and models
have the shapes of the public `openai` Python client: give it `base_url` with `/v1` and your key. What that
client has no argument for (`task`, `preset`, `text_column`, `label_column`, `model_name`) goes into
`extra_body`.

Every refusal has one shape: a sentence for people, a stable `code` for programs, and in the header
`x-request-id` the reference to name when writing to us.
"""


class Refusal(BaseModel):
    """What went wrong; `param` names the field of the request, where it is one."""

    message: str
    type: str
    code: str
    param: str | None


class RefusalBody(BaseModel):
    """The body of every answer with a status of 400 or more."""

    error: Refusal


app = FastAPI(
    title="Tuneport API",
    description=_DESCRIPTION,
    version="1",
    redoc_url=None,
    swagger_ui_oauth2_redirect_url=None,
    redirect_slashes=False,
    responses={"4XX": {"model": RefusalBody}, "5XX": {"model": RefusalBody}, 422: {"model": RefusalBody}},
)
app.add_middleware(Envelope)
app.add_exception_handler(ServiceError, errors.expected)
app.add_exception_handler(RequestValidationError, errors.invalid)
app.add_exception_handler(HTTPException, errors.http)
app.add_exception_handler(OperationalError, errors.database)
app.add_exception_handler(DataError, errors.unstorable)
# Files of an invoice before the invoice: an address that ends in .pdf would be one of its names, too.
for module in (
    chat,
    health,
    metrics,
    files,
    uploads,
    fine_tuning,
    models,
    versions,
    predict,
    usage,
    usage_events,
    budget,
    invoice_files,
    invoices,
    credit_notes,
    payments,
):
    app.include_router(module.router)
