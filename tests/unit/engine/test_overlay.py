"""The overlay of a hospital: what it changes, what the card says about it, and what it must not do."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.cases.builder import Builder
from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import read_request
from app.commands.check import main
from app.engine.knowledge import UnusableSetting
from app.engine.linker import load_knowledge
from app.engine.loader import GuidelineError
from app.pipeline import build_pipeline
from app.published import PublishedKnowledge
from app.settings import Settings
from tests.support.wire import call
from tests.unit.advice.test_drug_options import woman

TODAY = date(2026, 11, 22)


def overlay(folder: Path, text: str) -> Path:
    (folder / "overlay.yaml").write_text(text, encoding="utf-8")
    return folder


def cards(local: Path | None, case: dict[str, Any], language: str = "sv") -> list[dict[str, Any]]:
    pipeline = build_pipeline(Settings(local=local))
    body = Builder(case, TODAY).request()
    body["extension"]["osteon.configuration"]["language"] = language
    service = next(service for service in SERVICES if service.hook == body["hook"])
    answer = pipeline.answer(read_request(call(body), service), today=TODAY)
    found: list[dict[str, Any]] = answer.to_json()["cards"]
    return found


def card(local: Path | None, advice: str, case: dict[str, Any], language: str = "sv") -> dict[str, Any] | None:
    found = [c for c in cards(local, case, language) if c["extension"]["osteon.explanation"]["advice"] == advice]
    return found[0] if found else None


def labels(found: dict[str, Any] | None) -> list[str]:
    assert found is not None
    return [suggestion["label"].partition(":")[0] for suggestion in found.get("suggestions", [])]


def fractured() -> dict[str, Any]:
    """A woman of 67 with a wrist fracture, never measured: a DXA is due in every Swedish hospital."""
    return {
        "id": "x",
        "profile": "se",
        "patient": {"sex": "female", "age": 67},
        "observations": [{"concept": "menopausal_status", "value": "post", "days_ago": 400}],
        "conditions": [{"concept": "fragility_fracture", "site": "distal_radius", "days_ago": 60, "low_energy": True}],
    }


def with_clearance(value: float) -> dict[str, Any]:
    return woman("se", observations=[{"concept": "crcl", "value": value, "unit": "mL/min", "days_ago": 10}])


# ------------------------------------------------------------------------------------------------------ what it changes
def test_a_statement_is_switched_off(tmp_path: Path) -> None:
    assert card(None, "refer-dxa", fractured()) is not None
    local = overlay(tmp_path, "off: [uppsala.dxa.low-energy-fracture]\n")
    found = card(local, "refer-dxa", fractured())
    assert found is None or "uppsala.dxa.low-energy-fracture" not in str(found["extension"])


def test_the_formulary_orders_the_drugs_and_the_card_shows_the_order_of_the_source(tmp_path: Path) -> None:
    shipped = card(None, "start-bone-drug", woman("se"), "en")
    assert shipped is not None
    assert [name.lower() for name in labels(shipped)[:2]] == ["alendronate", "zoledronic acid"]
    assert "formulary" not in shipped["detail"]
    found = card(overlay(tmp_path, "drugs: {order: [zoledronate]}\n"), "start-bone-drug", woman("se"), "en")
    assert found is not None
    assert [name.lower() for name in labels(found)[:2]] == ["zoledronic acid", "alendronate"]
    assert "formulary; the order of the source: alendronate, " in found["detail"]


def test_a_drug_that_is_not_stocked_is_named_and_never_ordered(tmp_path: Path) -> None:
    found = card(overlay(tmp_path, "drugs: {not-stocked: [alendronate]}\n"), "start-bone-drug", woman("se"), "en")
    assert found is not None
    assert "alendronate" not in [name.lower() for name in labels(found)]
    assert "not stocked in this hospital" in found["detail"]


def test_a_contraindication_is_told_before_the_stock(tmp_path: Path) -> None:
    found = card(
        overlay(tmp_path, "drugs: {not-stocked: [alendronate]}\n"), "start-bone-drug", with_clearance(20), "en"
    )
    assert found is not None
    assert "alendronate: not stocked" not in found["detail"]


def test_codes_texts_links_and_reasons_are_those_of_the_hospital(tmp_path: Path) -> None:
    local = overlay(
        tmp_path,
        """
orderables:
  dxa:
    codes: [{system: "urn:oid:1.2.752.99", code: DXA1}]
    text: {sv: "DXA, Akademiska"}
texts: {refer-dxa.after: {sv: "Remiss till Osteoporosmottagningen, tfn 12345."}}
links: {refer-dxa: [{url: "https://intranet.test/dxa", label: {sv: "Lokal rutin"}}]}
override-reasons: [action-completed, {code: waiting, system: "urn:test", text: {sv: "Väntar"}}]
""",
    )
    found = card(local, "refer-dxa", fractured())
    assert found is not None
    assert "Remiss till Osteoporosmottagningen, tfn 12345." in found["detail"]
    assert {"label": "Lokal rutin", "url": "https://intranet.test/dxa", "type": "absolute"} in found["links"]
    assert [reason["code"] for reason in found["overrideReasons"]] == ["action-completed", "waiting"]
    code = found["suggestions"][0]["actions"][0]["resource"]["code"]
    assert code["text"] == "DXA, Akademiska"
    assert [coding["code"] for coding in code["coding"]] == ["DXA1", "38268-9", "312681000"]


def test_an_open_order_with_the_code_of_the_hospital_is_recognised(tmp_path: Path) -> None:
    local = overlay(tmp_path, 'orderables: {dxa: {codes: [{system: "urn:oid:1.2.752.99", code: DXA1}]}}\n')
    knowledge = load_knowledge(local=local)
    assert knowledge.orderables["dxa"].block.codes[0] == {"system": "urn:oid:1.2.752.99", "code": "DXA1"}
    body = Builder(fractured(), TODAY).request()
    order = {"resourceType": "ServiceRequest", "id": "s1", "status": "active", "intent": "order",
             "subject": body["prefetch"]["patient"] and {"reference": f"Patient/{body['context']['patientId']}"},
             "code": {"coding": [{"system": "urn:oid:1.2.752.99", "code": "DXA1"}]}}  # fmt: skip
    entries = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": order}]}
    body["prefetch"]["serviceRequests"] = entries
    service = next(service for service in SERVICES if service.hook == body["hook"])
    for folder, expected in ((None, True), (local, False)):
        answer = build_pipeline(Settings(local=folder)).answer(read_request(call(body), service), today=TODAY).to_json()
        advice = [c["extension"]["osteon.explanation"]["advice"] for c in answer["cards"]]
        assert ("refer-dxa" in advice) is expected


def test_a_text_of_another_language_stands_in(tmp_path: Path) -> None:
    local = overlay(tmp_path, 'texts: {refer-dxa.after: {sv: "Remiss till mottagningen."}}\n')
    found = card(local, "refer-dxa", fractured(), "zh")
    assert found is not None
    assert "Remiss till mottagningen." in found["detail"]


# --------------------------------------------------------------------------------------------------------------- limits
STATEMENT = "uppsala.contra.alendronate-crcl-below-30"  # below 30 mL/min
LIMIT = """
limits:
- statement: {statement}
  feature: creatinine_clearance
  {limit}
  unit: mL/min
  because: "the kidney clinic asks for a margin"
  decided: {{by: "Drug committee", date: 2026-05-01}}
"""


def test_a_stricter_limit_acts_and_stands_beside_that_of_the_source(tmp_path: Path) -> None:
    local = overlay(tmp_path, LIMIT.format(statement=STATEMENT, limit="below: 40"))
    between = with_clearance(36)
    assert "alendronate" in [name.lower() for name in labels(card(None, "start-bone-drug", between, "en"))]
    found = card(local, "start-bone-drug", between, "en")
    assert "alendronate" not in [name.lower() for name in labels(found)]
    assert found is not None
    detail = found["detail"].replace("mL/min", "ml/min")
    assert "40 ml/min (the kidney clinic asks for a margin; decided by Drug committee, 2026-05-01)" in detail
    assert "limit of the source: 30" in detail
    cited = next(r for r in found["extension"]["osteon.explanation"]["recommendations"] if r["id"] == STATEMENT)
    assert cited["localLimits"][0]["sourceLimit"] == 30
    assert cited["localLimits"][0]["decidedBy"] == "Drug committee"


@pytest.mark.parametrize("value", [39.9, 40])
def test_both_sides_of_the_limit_of_the_hospital(tmp_path: Path, value: float) -> None:
    local = overlay(tmp_path, LIMIT.format(statement=STATEMENT, limit="below: 40"))
    offered = [name.lower() for name in labels(card(local, "start-bone-drug", with_clearance(value), "en"))]
    assert ("alendronate" in offered) is (value >= 40)


def test_a_looser_limit_of_safety_is_refused_with_its_source(tmp_path: Path) -> None:
    local = overlay(tmp_path, LIMIT.format(statement=STATEMENT, limit="below: 25"))
    with pytest.raises(GuidelineError) as error:
        load_knowledge(local=local)
    text = str(error.value)
    assert f"{local.name}/overlay.yaml:3: {STATEMENT} is a safety statement (Osteoporos: behandlingsriktlinjer" in text
    assert "may only be made stricter. The source has 30 mL/min ('clearence <30 ml/min')" in text


def test_the_limit_of_another_statement_can_be_loosened(tmp_path: Path) -> None:
    """No safety: the hospital measures patients at a higher dose only. What the source says keeps its number."""
    local = overlay(
        tmp_path,
        """
limits:
- statement: uppsala.dxa.glucocorticoids
  feature: glucocorticoid_average_dose
  at_least: 10
  unit: mg/d
  because: "capacity"
  decided: {by: "Drug committee", date: 2026-05-01}
""",
    )
    shipped, changed = load_knowledge(), load_knowledge(local=local)
    rule = "uppsala.dxa.glucocorticoids"
    assert [str(limit.limit) for limit in changed.rules[rule].local_limits] == ["10"]
    assert changed.locale("en").statements[rule].statement == shipped.locale("en").statements[rule].statement
    assert shipped.rules[rule].local_limits == ()


HOLIDAY = """
limits:
- criterion: msd-bisphosphonate-holiday
  feature: last_course_months.bisphosphonate
  at_least: 24
  unit: months
  because: "shorter courses count here"
  decided: {by: "Drug committee", date: 2026-05-01}
"""


@pytest.mark.parametrize(("months", "pauses"), [(30, True), (12, False)])
def test_a_limit_that_only_a_gate_reads_is_shown_on_the_card_of_its_advice(
    tmp_path: Path, months: int, pauses: bool
) -> None:
    """Whether the gate acts or not: the source says 36 months, the hospital 24."""
    ended = {"started_days_ago": 100 + months * 31, "ended_days_ago": 100, "status": "stopped"}
    alendronate = {"concept": "alendronate", "dose_mg": 70, "every_days": 7, **ended}
    case = woman("intl", medications=[alendronate])
    found = card(overlay(tmp_path, HOLIDAY), "start-bone-drug", case, "en")
    assert found is not None
    assert "24 months (shorter courses count here; decided by Drug committee, 2026-05-01)" in found["detail"]
    assert "limit of the source: 36" in found["detail"]
    (limit,) = found["extension"]["osteon.explanation"]["localLimits"]
    assert (limit["limit"], limit["sourceLimit"], limit["decidedBy"]) == (24, 36, "Drug committee")
    remark = load_knowledge().locale("en").remarks["bisphosphonate-pause"]
    assert (remark in found["detail"]) is pauses
    shipped = card(None, "start-bone-drug", case, "en")
    assert shipped is not None
    assert "localLimits" not in shipped["extension"]["osteon.explanation"]


# --------------------------------------------------------------------------------------------------------------- safety
SAFETY = "cn-elderly.contra.calcium-hypercalcaemia-hypercalciuria"


def test_a_safety_statement_is_switched_off_only_with_accept_risk(tmp_path: Path) -> None:
    with pytest.raises(GuidelineError, match=r"is a safety statement .* accept-risk says why it is off"):
        load_knowledge(local=overlay(tmp_path, f"off: [{SAFETY}]\n"))


def test_a_safety_statement_that_is_off_is_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f'hospital: "H"\noff: [{{id: {SAFETY}, accept-risk: "the laboratory calls", ' + (
        'decided: {by: "Committee", date: 2026-05-01}}]\n'
    )
    local = overlay(tmp_path, text)
    knowledge = load_knowledge(local=local)
    metadata = PublishedKnowledge(knowledge).read("CapabilityStatement", "osteon")
    assert metadata is not None
    told = metadata["implementation"]["description"]
    assert f"overlay {knowledge.local.fingerprint} of H" in told
    assert f"switched off by decision of the hospital: {SAFETY}: the laboratory calls (Committee, 2026-05-01)" in told
    assert main(["--local", str(local)]) == 0
    assert f"safety statement switched off: {SAFETY}" in capsys.readouterr().out
    body = Builder(woman("se"), TODAY).request()
    service = next(service for service in SERVICES if service.hook == body["hook"])
    answer = build_pipeline(Settings(local=local)).answer(read_request(call(body), service), today=TODAY)
    assert answer.safety_off == (SAFETY,)
    assert answer.guideline_version == knowledge.version


def test_the_setting_cannot_switch_off_safety() -> None:
    with pytest.raises(UnusableSetting, match="with accept-risk"):
        build_pipeline(Settings(disabled_recommendations=(SAFETY,)))


def test_the_fingerprint_changes_with_the_overlay(tmp_path: Path) -> None:
    versions = {
        load_knowledge(local=overlay(_new(tmp_path, str(i)), f"hospital: H{i}\n")).version for i in range(2)
    } | {load_knowledge().version}
    assert len(versions) == 3
    (tmp_path / "0" / "cases").mkdir()
    before = load_knowledge(local=tmp_path / "0").version
    (tmp_path / "0" / "cases" / "a.yaml").write_text("[]\n", encoding="utf-8")
    load_knowledge.cache_clear()
    assert load_knowledge(local=tmp_path / "0").version == before


def _new(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


# ---------------------------------------------------------------------------------------------------- what is refused
WRONG = [
    ("off: [uppsala.dxa.low-energy-fractur]", 1, "did you mean uppsala.dxa.low-energy-fracture?"),
    ("hospital: x\nof: []", 2, "unknown key 'of', did you mean off?"),
    ("drugs:\n  not-stock: []", 2, "did you mean not-stocked?"),
    ("drugs:\n  order: [alendronat]", 2, "unknown drug 'alendronat', did you mean alendronate?"),
    ("drugs: {order: [alendronate], not-stocked: [alendronate]}", 1, "is not stocked and cannot come first"),
    ("orderables:\n  dxaa: {text: {sv: x}}", 2, "unknown orderable 'dxaa', did you mean dxa?"),
    ("texts:\n  refer-dxa.afte: {sv: x}", 2, "unknown text 'refer-dxa.afte', did you mean refer-dxa.after?"),
    ("texts:\n  refer-dxa.after: {fr: x}", 2, "'en', 'sv', 'da' or 'zh'"),
    ('texts:\n  refer-dxa.after: {sv: "{x}"}', 2, "no placeholders"),
    ("links:\n  refer-dx: [{url: 'https://x', label: {sv: x}}]", 2, "did you mean refer-dxa?"),
    ("links:\n  refer-dxa: [{url: 'javascript:x', label: {sv: x}}]", 2, "url"),
    ("override-reasons: [action-complete]", 1, "did you mean action-completed?"),
    ("prefetch:\n  Q: 'Patient?x=1'", 2, "prefetch key 'Q'"),
    ("on: [uppsala.dxa.low-energy-fracture]", 1, "is on already"),
    (LIMIT.format(statement="uppsala.dxa.x", limit="below: 3").strip(), 2, "unknown statement 'uppsala.dxa.x'"),
    (LIMIT.format(statement="uppsala.dxa.glucocorticoids", limit="below: 3").strip(), 2, "has no limit creat"),
    ("limits: [{statement: a.b, feature: x, below: 3, unit: mL}]", 1, "because"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message"), WRONG)
def test_a_mistake_stops_the_start_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(GuidelineError) as error:
        load_knowledge(local=overlay(tmp_path, text + "\n"))
    found = [problem for problem in error.value.problems if message in problem.message]
    assert found, error.value
    assert (found[0].file, found[0].line) == (f"{tmp_path.name}/overlay.yaml", line)


def test_a_file_that_nothing_reads_is_named(tmp_path: Path) -> None:
    overlay(tmp_path, "hospital: x\n")
    (tmp_path / "overlays.yaml").write_text("off: []\n", encoding="utf-8")
    with pytest.raises(GuidelineError, match="nothing reads this file, did you mean overlay"):
        load_knowledge(local=tmp_path)


def test_an_empty_folder_is_no_overlay(tmp_path: Path) -> None:
    with pytest.raises(GuidelineError, match="the overlay is empty"):
        load_knowledge(local=tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such folder"):
        Settings(local=tmp_path / "missing")
