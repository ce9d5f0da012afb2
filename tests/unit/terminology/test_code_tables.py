"""The code tables of guidelines/concepts/codes: form, check digits, and that no code says two things at once."""

from __future__ import annotations

from collections import defaultdict

import pytest

from app.data_files import data_path
from app.terminology.code_sets import terminology
from app.terminology.codes import meaning_of

TABLES = sorted(data_path("guidelines", "concepts", "codes").glob("*.tsv"))

# Verhoeff's dihedral check, by which every SNOMED CT identifier ends.
_PERMUTATION = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def _multiply(left: int, right: int) -> int:
    if left < 5 and right < 5:
        return (left + right) % 5
    if left < 5:
        return (left + right) % 5 + 5
    if right < 5:
        return (left - right) % 5 + 5
    return (left - right) % 5


def _verhoeff(identifier: str) -> bool:
    check = 0
    for place, digit in enumerate(reversed(identifier)):
        value = int(digit)
        for _ in range(place % 8):
            value = _PERMUTATION[value]
        check = _multiply(check, value)
    return check == 0


def _rows() -> list[tuple[str, str, str, str]]:
    found = []
    for path in TABLES:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        found += [(path.name, *line.split("\t")[:3]) for line in lines[1:]]
    return found


def test_every_table_names_its_sources() -> None:
    for path in TABLES:
        head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
        letters = {line[1:].split(":")[0].strip() for line in head}
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#") and not line.startswith("concept\t"):
                assert set(line.split("\t")[4].split(" ")) <= letters, (path.name, line)


def test_every_identifier_of_snomed_ct_has_its_check_digit() -> None:
    wrong = [row for row in _rows() if row[2] == "snomed" and not _verhoeff(row[3])]
    assert not wrong


def test_no_row_stands_twice() -> None:
    rows = [row[1:] for row in _rows()]
    assert len(rows) == len(set(rows))


def test_a_fracture_code_has_one_site() -> None:
    sites = defaultdict(set)
    for _, concept, system, code in _rows():
        site = terminology().sites.get(concept)
        if site not in {None, "other", "unknown"}:
            sites[system, code].add(site)
    assert not {code: found for code, found in sites.items() if len(found) > 1}
    assert len(sites) > 250


def test_what_is_known_to_be_something_else_is_in_no_concept() -> None:
    other = {row[2:] for row in _rows() if row[1] == "known_other"}
    assert other
    assert not other & {row[2:] for row in _rows() if row[1] != "known_other"}


@pytest.mark.parametrize(
    ("code", "concept", "site"),
    [
        ("66308002", "fracture_other_unspecified", "humerus"),
        ("89294002", "fracture_other_unspecified", "humerus"),
        ("111637008", "fracture_not_counted_clavicle", "clavicle"),
        ("45910007", "fracture_not_counted_rib", "rib"),
        ("207977001", "fracture_pelvis", "pelvis"),
        ("207949005", "fracture_vertebra_thoracic", "vertebra"),
        ("269062008", "fracture_other_unspecified", "other"),  # cervical: counts as no vertebral fracture, as in ICD-10
        ("21698002", "fracture_not_counted_finger", "finger"),
    ],
)
def test_fractures_of_the_upper_body_in_snomed(code: str, concept: str, site: str) -> None:
    meaning = meaning_of("http://snomed.info/sct", code)
    assert meaning is not None
    assert concept in meaning.concepts
    assert meaning.site == site


def test_old_infarction_and_subarachnoid_haemorrhage_in_snomed() -> None:
    old, bleeding = (meaning_of("http://snomed.info/sct", code) for code in ("1755008", "21454007"))
    assert old is not None
    assert (old.history, "myocardial_infarction" in old.concepts) == (True, True)
    assert bleeding is not None
    assert (bleeding.history, "stroke" in bleeding.concepts) == (False, True)
