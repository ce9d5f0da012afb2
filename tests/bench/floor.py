"""The floor to compare with: FastAPI, body read, orjson, a constant card."""

from __future__ import annotations

import orjson
from fastapi import FastAPI, Request, Response

PATH = "/cds-services/osteoporosis-patient-view"
CARD = orjson.dumps({"cards": [{"summary": "constant", "indicator": "info", "source": {"label": "floor"}}]})

app = FastAPI()


@app.post(PATH)
async def answer(request: Request) -> Response:
    """Read and decode the body; answer one card."""
    body = orjson.loads(await request.body())
    return Response(CARD if body["hook"] else b"{}", media_type="application/json")
