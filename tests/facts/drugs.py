"""Doses from the lines of the sources, equivalents of glucocorticoids, how long depot drugs act."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from app.engine.knowledge import Knowledge
from app.terminology.code_sets import terminology
from app.vocabulary import Language


class Order(NamedTuple):
    """An order as the source writes it, with words of the source that hold its numbers."""

    dose: str
    unit: str
    interval: str
    route: str
    atc: str
    source: str
    words: str


ORDERS: Mapping[tuple[str, str], Order] = {
    ("alendronate", "any"): Order("70", "mg", "1 per 1 wk", "oral", "M05BA04", "uppsala", "veckotablett (70 mg/vecka)"),
    ("zoledronate", "any"): Order(
        "5", "mg", "1 per 1 a", "intravenous", "M05BA08", "uppsala", "Årliga infusioner av 5 mg zoledronsyra"
    ),
    ("denosumab", "any"): Order(
        "60", "mg", "1 per 6 mo", "subcutaneous", "M05BX04", "uppsala", "(Prolia) 60mg s.c var sjätte månad"
    ),
    ("calcium-vitamin-d", "uppsala"): Order(
        "500-1000", "mg", "1 per 1 d", "oral", "A12AX", "uppsala", "500-1000 mg Kalcium och 800 E vitamin D"
    ),
    ("calcium-vitamin-d", "msd"): Order("500-600", "mg", "2 per 1 d", "oral", "A12AX", "msd", "500至600毫克，每天2次"),
    ("calcium-vitamin-d", "cn-elderly"): Order(
        "500-600", "mg", "1 per 1 d", "oral", "A12AX", "cn-elderly", "每日尚需补充元素钙500~600 mg"
    ),
}
ATC = {  # WHO Collaborating Centre for Drug Statistics Methodology
    "abaloparatide": "H05AA04",
    "alendronate": "M05BA04",
    "calcitonin": "H05BA01",
    "calcium-vitamin-d": "A12AX",
    "denosumab": "M05BX04",
    "ibandronate": "M05BA06",
    "raloxifene": "G03XC01",
    "risedronate": "M05BA07",
    "romosozumab": "M05BX06",
    "teriparatide": "H05AA02",
    "zoledronate": "M05BA08",
}
RXNORM = {"alendronate": "46041", "denosumab": "993449", "zoledronate": "77655"}  # ingredients
INTERVALS: Mapping[str, Mapping[Language, str]] = {  # how each language writes the interval
    "1 per 1 wk": {
        Language.EN: "once a week",
        Language.SV: "en gång i veckan",
        Language.DA: "én gang om ugen",
        Language.ZH: "每周一次",
    },
    "1 per 1 a": {
        Language.EN: "once a year",
        Language.SV: "en gång om året",
        Language.DA: "én gang om året",
        Language.ZH: "每年一次",
    },
    "1 per 6 mo": {
        Language.EN: "every 6 months",
        Language.SV: "var 6:e månad",
        Language.DA: "hver 6. måned",
        Language.ZH: "每6个月一次",
    },
    "1 per 1 d": {Language.EN: "daily", Language.SV: "dagligen", Language.DA: "dagligt", Language.ZH: "每日"},
    "2 per 1 d": {
        Language.EN: "twice daily",
        Language.SV: "två gånger dagligen",
        Language.DA: "to gange dagligt",
        Language.ZH: "每日两次",
    },
}
ROUTES: Mapping[str, Mapping[Language, str]] = {
    "oral": {Language.EN: "by mouth", Language.SV: "per os", Language.DA: "peroralt", Language.ZH: "口服"},
    "intravenous": {
        Language.EN: "intravenously",
        Language.SV: "intravenöst",
        Language.DA: "intravenøst",
        Language.ZH: "静脉输注",
    },
    "subcutaneous": {
        Language.EN: "subcutaneously",
        Language.SV: "subkutant",
        Language.DA: "subkutant",
        Language.ZH: "皮下注射",
    },
}
VITAMIN_D: Mapping[tuple[str, str], tuple[str, ...]] = {  # units a day that the texts of an order name besides
    ("calcium-vitamin-d", "uppsala"): ("800",),
    ("calcium-vitamin-d", "msd"): ("600", "800"),
}
# Goodman and Gilman, relative potencies of corticosteroids; deflazacort: its summary of product characteristics.
EQUAL_TO_5_MG_PREDNISOLONE = {
    "gc_prednisolone": "5",
    "gc_prednisone": "5",
    "gc_hydrocortisone": "20",
    "gc_cortisone": "25",
    "gc_methylprednisolone": "4",
    "gc_triamcinolone": "4",
    "gc_dexamethasone": "0.75",
    "gc_betamethasone": "0.75",
    "gc_deflazacort": "6",
}
IU_PER_MG = {"colecalciferol": "40000", "ergocalciferol": "40000"}  # 1 IU is 0.025 ug
ACTS_MONTHS = {"denosumab": 6, "denosumab_osteoporosis_60mg": 6, "zoledronic_acid": 12}
_NUMBERS = re.compile(r"\d+(?:[.,]\d+)?")
_MG = re.compile(r"\d\s*mg(?![a-z])")


def wrong_orders(knowledge: Knowledge) -> Iterator[str]:
    """Orders that are not those of the source lines, and texts that do not say what the order is."""
    yield from wrong_codes(knowledge)
    found = {(drug.id, source) for drug in knowledge.drugs.values() for source in drug.orders}
    for pair in found ^ ORDERS.keys():
        yield f"{pair}: an order without a fact, or a fact without an order"
    for (name, source), fact in ORDERS.items():
        if (name, source) not in found:
            continue
        drug, place = knowledge.drugs[name], f"{name} {source}"
        order = drug.orders[source]
        dose = f"{order.dose}" if order.dose_high is None else f"{order.dose}-{order.dose_high}"
        interval = f"{order.frequency} per {order.period} {order.period_unit}"
        for what, is_, should in (
            ("dose", dose, fact.dose),
            ("unit", order.unit, fact.unit),
            ("interval", interval, fact.interval),
            ("route", order.route, fact.route),
            ("ATC code", drug.codes[0]["code"], fact.atc),
        ):
            if is_ != should:
                yield f"{place}: {what} {is_}, the source has {should}"
        rule = knowledge.rules[order.from_recommendation]
        if rule.source.id != fact.source or not any(fact.words in quote for quote in rule.block.source.quote):
            yield f"{place}: {order.from_recommendation} does not quote {fact.words!r} of {fact.source}"
        yield from _wrong_texts(knowledge, name, source, fact)


def wrong_codes(knowledge: Knowledge) -> Iterator[str]:
    """Codes of drugs that are not those of ATC and RxNorm."""
    for drug in knowledge.drugs.values():
        expected = [code for code in (ATC.get(drug.id), RXNORM.get(drug.id)) if code is not None]
        found = [coding["code"] for coding in drug.codes]
        if found != expected:
            yield f"{drug.id}: codes {found}, the facts are {expected}"


def _wrong_texts(knowledge: Knowledge, name: str, source: str, fact: Order) -> Iterator[str]:
    amounts = sorted([*fact.dose.split("-"), *VITAMIN_D.get((name, source), ())])
    period = ["6"] if fact.interval == "1 per 6 mo" else []
    for language, locale in knowledge.locales.items():
        text = locale.drugs[name].orders[source].text
        place = f"{name} {source} in {language}: {text!r}"
        if sorted(_NUMBERS.findall(text)) != sorted([*amounts, *period]):
            yield f"{place}: its numbers are not {amounts + period}"
        if not _MG.search(text):
            yield f"{place}: not in {fact.unit}"
        for words in (INTERVALS[fact.interval][language], ROUTES[fact.route][language]):
            if words not in text:
                yield f"{place}: does not say {words!r}"


def wrong_equivalents() -> Iterator[str]:
    """Equivalents, units of substances and depot intervals that are not those of the facts."""
    products = terminology().drugs.products
    tables = (
        ("mg that equal 5 mg prednisolone", EQUAL_TO_5_MG_PREDNISOLONE, "equal_to_5_mg_prednisolone"),
        ("IU per mg", IU_PER_MG, "iu_per_mg"),
        ("months that a dose acts", ACTS_MONTHS, "acts_months"),
    )
    for what, facts, member in tables:
        written = {name: value for name, one in products.items() if (value := getattr(one, member)) is not None}
        for name in sorted(written.keys() | facts.keys()):
            is_, should = written.get(name), facts.get(name)
            if is_ is None or should is None or Decimal(is_) != Decimal(str(should)):
                yield f"{name}: {what}: {is_}, the fact is {should}"
