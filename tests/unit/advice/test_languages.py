"""Every word of a card exists in the four languages, and whole answers read as one language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from app.cards.wording import Wording
from app.cases.builder import SERVICE, Builder
from app.cds_hooks.feedback import OVERRIDE_REASONS
from app.cds_hooks.response import SUMMARY_LIMIT
from app.chart import DateRange, DensitySite, FractureSite, Presence
from app.engine.knowledge import Knowledge
from app.engine.linker import load_knowledge
from app.features import catalogue
from app.features.history.diagnoses import GROUPS
from app.features.history.stated_findings import MISSING, TRUTHS, WORDS
from app.features.laboratory.values import ANALYTES
from app.features.model import Evidence
from app.features.notes import NoteCode, note
from app.main import create_app
from app.pipeline import build_pipeline
from app.settings import Settings
from tests.clinical.cases import TODAY, Case, all_cases
from tests.conftest import Client
from tests.support.patience import PATIENCE

LANGUAGES = ("en", "sv", "da", "zh")
PLACEHOLDER = re.compile(r"\{\w+\}")
HAN = re.compile(r"[\u4e00-\u9fff]")
WITHOUT_HAN = {
    "units",
    "names",
    "decimal_mark",
    "phrases.own_label",
    "phrases.list_separator",
    "phrases.colon",
    "phrases.semicolon",
    "phrases.stop",
    "phrases.aside",
    "phrases.cited",
    "notes.recorded",
    "notes.site",
}
"""Texts of these kinds may be the same in Chinese: symbols, and abbreviations such as FRAX and CTX."""
SENTENCE = re.compile(r"[a-z]{4,}(?: [a-z]{2,}){3,}", re.IGNORECASE)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def texts_of(knowledge: Knowledge) -> Iterator[tuple[str, Mapping[str, str]]]:
    """All texts with the place where they stand, "statements.uppsala.dxa.x.because", by language."""
    places = [dict(_leaves(locale.model_dump(exclude={"language"}))) for locale in knowledge.locales.values()]
    for place in places[0]:
        yield place, {str(one): texts[place] for one, texts in zip(knowledge.locales, places, strict=True)}


def _leaves(node: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, f"{place}.{key}" if place else key)
    elif node:
        yield place, node


def test_the_same_english_reason_reads_the_same_everywhere(knowledge: Knowledge) -> None:
    """A card says a reason once when two statements give it; that holds in each language."""
    said: dict[str, set[tuple[str, ...]]] = {}
    for where, texts in texts_of(knowledge):
        if where.endswith(".because"):
            said.setdefault(texts["en"], set()).add(tuple(sorted(texts.values())))
    assert len(said) > 150
    assert {reason: words for reason, words in said.items() if len(words) > 1} == {}


def test_chinese_is_chinese_and_no_translation_is_left_in_english(knowledge: Knowledge) -> None:
    untranslated = [
        where
        for where, texts in texts_of(knowledge)
        if texts["en"]
        and where.split(".")[0] not in WITHOUT_HAN
        and where not in WITHOUT_HAN | {"orderables.tsh.name", "orderables.p1np.name"}
        and not HAN.search(texts["zh"])
    ]
    assert untranslated == []
    for where, texts in texts_of(knowledge):
        if " " in texts["en"] and len(texts["en"]) > 25:
            assert texts["en"] not in {texts["sv"], texts["da"], texts["zh"]}, where


def test_the_numbers_of_a_translation_are_those_of_the_english_text(knowledge: Knowledge) -> None:
    def digits(text: str) -> list[str]:
        return sorted(re.findall(r"\d+", text))

    differing = [
        (where, language)
        for where, texts in texts_of(knowledge)
        if not where.endswith(".statement")  # these have a test of their own
        for language in LANGUAGES
        # "twice" and "three months" are words in one language and digits in another; added digits stand below 13.
        if any(d not in digits(texts[language]) for d in digits(texts["en"]))
        or any(int(d) > 12 for d in digits(texts[language]) if d not in digits(texts["en"]))
    ]
    # Swedish and Danish say "dygnsurin" for 24-hour urine; a unit is not a number.
    assert [found for found in differing if "urine_calcium" not in found[0] and not found[0].startswith("units.")] == []


def test_summaries_leave_room_for_the_reason(knowledge: Knowledge) -> None:
    long = [
        (advice, language, len(PLACEHOLDER.sub("", texts.summary)))
        for language, locale in knowledge.locales.items()
        for advice, texts in locale.advice.items()
        if len(PLACEHOLDER.sub("", texts.summary)) > (105 if "{" not in texts.summary else 85)
    ]
    assert [found for found in long if found[0] != "withhold-osteoporosis-advice"] == []


def test_what_a_summary_says_at_its_end_survives_many_reasons(
    answers: Callable[[str], Answers], knowledge: Knowledge
) -> None:
    seen = 0
    for language in LANGUAGES:
        tail = knowledge.locale(language).advice["emergency-cord-compression"].summary.split("{because}")[1]
        for case, body in answers(language):
            for card in body["cards"]:
                if card["indicator"] == "critical":
                    seen += 1
                    assert card["summary"].endswith(tail.lstrip(". ")), (case["id"], card["summary"])
    assert seen > 20


def test_every_datum_word_and_site_has_a_name(knowledge: Knowledge) -> None:
    data = set(TRUTHS) | set(WORDS) | set(MISSING.values()) | set(GROUPS) | set(ANALYTES)
    data |= {group.missing for group in GROUPS.values() if group.missing}
    data |= {analyte.missing for analyte in ANALYTES.values() if analyte.missing}
    (classes,) = (family.arguments[0].choices for family in catalogue().families() if family.name == "takes")
    data |= set(classes)
    assert [name for name in sorted(data) if name not in knowledge.locale("en").names] == []
    words = {word.replace("-", "_") for answers in WORDS.values() for word in answers}
    words |= {site.value for site in (*FractureSite, *DensitySite)} | {state.value for state in Presence}
    assert [word for word in sorted(words) if word not in knowledge.locale("en").words] == []


LEVEL_L1 = note(NoteCode.LEVEL, "L1")
CHANGE_AT_THE_HIP = (note(NoteCode.SITE, "total_hip"), note(NoteCode.CHANGE, Decimal("-0.5")))
NO_DOSE = note(NoteCode.DOSE_NOT_RECORDED, product="Deltison")


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        (Evidence("denosumab_last_dose", "Prolia"), "地舒单抗（末次给药）：Prolia"),
        (
            Evidence("fragility_fracture", "distal forearm", notes=(note(NoteCode.LEVEL, "L1"),)),
            "脆性骨折：前臂远端（节段L1）",
        ),
        (Evidence("smoking_status", "current, smoking_status_current"), "吸烟状况：目前吸烟"),
        (
            Evidence(
                "bmd",
                Decimal("0.8"),
                "g/cm2",
                notes=(note(NoteCode.SITE, "total_hip"), note(NoteCode.CHANGE, Decimal("-0.5"))),
            ),
            "骨密度：0.8 g/cm²（全髋；变化 -0.5 %）",
        ),
        (Evidence("egfr", ">90", "mL/min/{1.73_m2}"), "估算肾小球滤过率（eGFR）：>90 mL/min/1.73 m²"),
        (
            Evidence("menopausal_status", "post", notes=(note(NoteCode.ASSUMED_FROM_AGE, 65),)),
            "绝经状态：绝经后（未记录：65岁起按此推定）",
        ),
        (
            Evidence(
                "glucocorticoid_daily_dose",
                Decimal(5),
                "mg/d",
                notes=(note(NoteCode.DOSE_NOT_RECORDED, product="Deltison"),),
            ),
            "糖皮质激素日剂量（相当于泼尼松龙）：5 mg/日（Deltison：未记录剂量）",
        ),
        (Evidence("alendronate_intolerance", "NSAR-like rash N 3"), "阿仑膦酸钠不耐受：NSAR-like rash N 3"),
        (
            # words of the record stay as they are, even where they read like one of ours
            Evidence("bone_drug_end", "Prolia", notes=(note(NoteCode.RECORDED, "as needed"),)),
            "抗骨质疏松药物（停用）：Prolia（as needed）",
        ),
        (
            Evidence("takes.bone_drug", "Prolia", notes=(note(NoteCode.ENDS, "2026-12"), note(NoteCode.ON_HOLD))),
            "抗骨质疏松药物：Prolia（2026-12结束；暂停使用）",
        ),
        (Evidence("falls", False), "近一年跌倒：否"),
    ],
)
def test_facts_are_told_in_chinese(knowledge: Knowledge, evidence: Evidence, told: str) -> None:
    assert Wording(knowledge, "zh").fact(evidence) == told


def test_data_without_a_name_are_told_in_their_own_words(knowledge: Knowledge) -> None:
    wording = Wording(knowledge, "sv")
    assert wording.name("condition.coeliac") == "celiaki"
    assert wording.name("denosumab_use") == "pågående användning av denosumab"
    assert wording.name("never_heard_of") == "never heard of"
    day = DateRange(date(2026, 1, 2), date(2026, 1, 2))
    assert wording.fact(Evidence("chest_pain", "present", date=day)) == "bröstsmärta: aktuell (sedan 2026-01-02)"


@pytest.fixture(scope="module")
def service() -> Client:
    settings = Settings(log_level="error", request_timeout_seconds=PATIENCE)
    return Client(create_app(pipeline=build_pipeline(settings), settings=settings, today=lambda: TODAY))


Answers = list[tuple[Case, dict[str, Any]]]


@pytest.fixture(scope="module")
def answers(service: Client) -> Callable[[str], Answers]:
    @cache
    def in_language(language: str) -> Answers:
        return [(case, answer(service, case, language)) for _, case in all_cases()]

    return in_language


def answer(service: Client, case: Case, language: str) -> dict[str, Any]:
    request = Builder(case, TODAY).request()
    request["extension"]["osteon.configuration"]["language"] = language
    answered = service.post(f"/cds-services/{SERVICE[case.get('hook', 'patient-view')]}", json=request)
    assert answered.status_code == 200, (case["id"], answered.text)
    body: dict[str, Any] = answered.json()
    return body


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_of_the_cases_are_whole_in_every_language(
    answers: Callable[[str], Answers], knowledge: Knowledge, language: str
) -> None:
    words = dict(texts_of(knowledge))
    headings = {
        words[f"phrases.{key}"][language]
        for key in ("why", "options", "tests", "not_suggested", "cautions", "missing", "notes", "sources", "remarks")
    }
    cards = 0
    for case, answer in answers(language):
        for card in answer["cards"]:
            cards += 1
            assert 0 < len(card["summary"]) <= SUMMARY_LIMIT, case["id"]
            seen = "\n".join(
                [card["summary"], card.get("detail", ""), *(s["label"] for s in card.get("suggestions", []))]
            )
            assert not PLACEHOLDER.search(seen), (case["id"], seen)
            assert not re.search(r"[a-z]+\\?_[a-z]+", seen), (case["id"], seen)
            found = set(re.findall(r"^\*\*(.+)\*\*$", card.get("detail", ""), re.MULTILINE))
            assert found <= headings, (case["id"], found)
            reasons = [(reason["code"], reason["display"]) for reason in card["overrideReasons"]]
            shipped = [(r.code, words[f"override_reasons.{r.code}"][language]) for r in OVERRIDE_REASONS]
            assert reasons == [one for one in shipped if one in reasons], "in the order of the list"
            assert len(reasons) >= 2, case["id"]
            topic = card["source"]["topic"]
            assert topic["display"] == words[f"topics.{topic['code']}"][language]
    assert cards > 400


def test_the_drug_of_a_summary_is_named_in_the_language(
    answers: Callable[[str], Answers], knowledge: Knowledge
) -> None:
    english = {drug.name for drug in knowledge.locale("en").drugs.values()}
    chinese = {drug.name for drug in knowledge.locale("zh").drugs.values()}
    seen = [
        card["summary"]
        for _, answer in answers("zh")
        for card in answer["cards"]
        if card["extension"]["osteon.explanation"]["advice"] in {"use-other-drug", "weigh-drug-caution"}
    ]
    running = [text for text in seen if any(name in text for name in chinese)]
    assert len(running) > 10
    assert not [text for text in running if any(name in text for name in english)]


def test_facts_and_missing_data_of_chinese_cards_are_chinese(answers: Callable[[str], Answers]) -> None:
    """Statements of sources without a translation stay in English; all that is the service's own is Chinese."""
    own = re.compile(r"\*\*(?:依据|记录中缺少|缺少近期结果的检查)\*\*\n\n((?:- .*\n?)+)")
    lines = [
        (case["id"], line)
        for case, answer in answers("zh")
        for card in answer["cards"]
        for block in own.findall(card.get("detail", ""))
        for line in block.splitlines()
    ]
    assert len(lines) > 500
    assert [found for found in lines if SENTENCE.search(found[1])] == []
    named = [found for found in lines if not HAN.search(found[1]) and not re.match(r"- (FRAX|CTX|P1NP)", found[1])]
    assert named == []


OTHER_NUMBERS = {
    ("cn-elderly.monitor.btm-interval", "zh"): "'once' is a digit in the source's own words",
    ("cn-elderly.monitor.btm-preferred-markers", "zh"): "the marker is written with a Roman numeral",
    ("dk-metastases.imaging.xray-insensitive", "zh"): "half is written as 50 %",
    ("msd.lab.core-panel", "da"): "'døgnurin' is the urine of 24 hours",
}


def _numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:\.\d+)?", re.sub(r"(\d),(\d)", r"\1.\2", text)))


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_statement_that_can_be_cited_is_in_every_language_with_the_same_numbers(
    knowledge: Knowledge, language: str
) -> None:
    texts = dict(texts_of(knowledge))
    said = {r.id: texts[f"statements.{r.id}.statement"] for r in knowledge.rules.values() if r.citable}
    assert len(said) > 300
    assert [name for name, texts in said.items() if not texts.get(language)] == []
    differ = {name for name, texts in said.items() if _numbers(texts[language]) != _numbers(texts["en"])}
    assert differ == {name for name, other in OTHER_NUMBERS if other == language}


ENGLISH = re.compile(
    r"\b(the|and|with|without|should|which|this|from|not|are|was|has|been|is|or|on|by)\b", re.IGNORECASE
)
FOREIGN = {
    "sv": (ENGLISH, re.compile(r"\d\.\d"), re.compile(r"mL|mol/L|\bg/L")),
    "da": (ENGLISH, re.compile(r"\d\.\d"), re.compile(r"mL|mol/L|\bg/L")),
    "zh": (ENGLISH, re.compile(r"[\u4e00-\u9fff][,;:(]|[,;:)][\u4e00-\u9fff]")),
}
"""What no line of an answer holds in a language: English words, a decimal point, units or punctuation of English."""


@pytest.mark.parametrize("language", FOREIGN)
def test_nothing_of_english_is_left_in_the_answers_of_the_cases(
    answers: Callable[[str], Answers], language: str
) -> None:
    """Words, numbers, units and punctuation of what a clinician reads; the texts of records are read as they came."""
    left, lines = set(), 0
    for case, body in answers(language):
        for card in body["cards"]:
            texts = [card["summary"], card.get("detail", ""), *(s["label"] for s in card.get("suggestions", []))]
            texts += [one["description"] for s in card.get("suggestions", []) for one in s.get("actions", [])]
            for line in "\n".join(texts).splitlines():
                lines += 1
                left |= {(case["id"], line, found[0]) for p in FOREIGN[language] if (found := p.search(line))}
    assert lines > 10_000
    assert sorted(left)[:20] == []
