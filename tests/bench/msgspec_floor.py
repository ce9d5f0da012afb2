"""The floor of a typed reading: FastAPI, body read, the service's own wire model, a constant card."""

from __future__ import annotations

import msgspec
from fastapi import FastAPI, Request, Response

import app.wire.resources  # completes the types of Call
from app.wire.call import Call
from tests.bench.floor import CARD, PATH

app = FastAPI()
_decoder = msgspec.json.Decoder(Call)


@app.post(PATH)
async def answer(request: Request) -> Response:
    """Read and decode the body; answer one card."""
    body = _decoder.decode(await request.body())
    return Response(CARD if body.hook else b"{}", media_type="application/json")
