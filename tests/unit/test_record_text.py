"""Text from a record in an answer: nothing in it acts, hides or deceives."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import orjson
import pytest

from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.decoding.call import decode_call
from app.pipeline import build_pipeline
from app.record_text import LIMIT, is_id, shown
from app.settings import Settings
from tests.support import calls

HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
NASTY = (
    "<img src=x onerror=alert(1)> https://evil.example/login \u202eabc\x07\u200b www.evil.example javascript:alert(1)"
)

ATC = {"alendronate": "M05BA04", "denosumab": "M05BX04", "Prednisolone": "H02AB06", "zoledronic": "M05BA08"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alendronate 70 mg", "alendronate 70 mg"),
        ("a\x00b\x07c", "a b c"),
        ("two\nlines\r\nand\u2028more\u2029", "two lines and more"),
        ("\u202edeirettergnolap\u202c", "deirettergnolap"),
        ("pred\u200bnis\u200co\u200dlo\ufeffne\u2060", "prednisolone"),
        ("soft\u00adhyphen", "softhyphen"),
        ("\u2066isolated\u2069 \u200fmark\u061c", "isolated mark"),
        ("\u3164\u115f\u2800empty", "empty"),
        ("\ue000private", "private"),
        ("see https://evil.example/x?y=1 now", "see … now"),
        ("HTTP://EVIL.example", "…"),
        ("(www.evil.example)", "…"),
        ("javascript:alert(1)", "…"),
        ("mail a@evil.example", "mail …"),
        ("tags \U000e0041\U000e0042", "tags"),
    ],
)
def test_what_is_taken_out(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Prednisolon 5 mg, 2 × 1 (0,5–1 mg/kg)", "阿仑膦酸钠 70 mg", "Östrogen ≥ 1 µg/d", "2 @ night", "ratio 1:2",
        "naïve café", "Ca²⁺ 2.3 mmol/L", "data missing: weight", "T-score −2.5 (L1–L4)", "e\u0301",
    ],
)  # fmt: skip
def test_what_stays(text: str) -> None:
    """Controls: other alphabets, signs and combining marks are text."""
    assert shown(text) == text


def test_length_is_bounded_whatever_comes() -> None:
    assert len(shown("x" * LIMIT)) == LIMIT
    assert not shown("x" * LIMIT).endswith("…")
    for text in ("x" * (LIMIT + 1), "x" * 1_000_000, "a@" * 500_000, "\u202e" * 1_000_000 + "x"):
        assert len(shown(text)) <= LIMIT


@pytest.mark.parametrize(("text", "good"), [("a-1.B", True), ("x" * 64, True), ("x" * 65, False), ("", False)])
def test_ids(text: str, good: bool) -> None:
    assert is_id(text) is good
    assert not is_id(text + "\u202e")


def test_nothing_of_it_is_in_an_answer() -> None:
    """Summaries, details, labels, descriptions, references and the explanation, through the whole service."""

    def medication(number: int, name: str, kind: str = "MedicationStatement", **members: Any) -> dict[str, Any]:
        return {
            "resourceType": kind,
            "id": f"m{number}",
            "status": "active",
            "medicationCodeableConcept": {
                "coding": [{"system": "http://www.whocc.no/atc", "code": ATC[name.split()[0]], "display": NASTY}],
                "text": f"{name} {NASTY}",
            },
            "subject": {"reference": "Patient/p1"},
            **members,
        }

    drafts = [medication(n, name, "MedicationRequest", status="draft", intent="order") for n, name in enumerate(
        ("alendronate 70 mg", "denosumab 60 mg"))]  # fmt: skip
    allergy = {
        "resourceType": "AllergyIntolerance",
        "id": "a1",
        "code": {"text": f"alendronate {NASTY}"},
        "reaction": [{"manifestation": [{"text": f"oesophagitis {NASTY}"}]}],
        "patient": {"reference": "Patient/p1"},
    }
    body = calls.patient_view(
        medications=calls.bundle(medication(9, "Prednisolone 10 mg"), medication(8, "zoledronic acid")),
        allergies=calls.bundle(allergy),
    )
    body |= {
        "hook": "order-sign",
        "context": {
            "userId": "Practitioner/<u>\u202e",
            "patientId": "p1",
            "encounterId": "e<b>\u202e",
            "draftOrders": calls.bundle(*drafts),
        },
    }
    call = read_request(decode_call(orjson.dumps(body)), SERVICES_BY_ID["osteoporosis-order-sign"])
    answer = build_pipeline(Settings()).answer(call, today=date(2026, 11, 22)).to_json()
    assert len(answer["cards"]) >= 2
    texts = list(texts_in(answer["cards"]))
    assert any("alendronate" in text for text in texts)
    for text in texts:
        assert not HIDDEN.search(text), text
        assert "evil.example" not in text, text
        assert "javascript:" not in text, text


def texts_in(value: Any) -> Any:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from texts_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts_in(member)
    elif isinstance(value, str):
        yield value
