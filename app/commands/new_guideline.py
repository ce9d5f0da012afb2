"""`osteon new-guideline DIR`: writes a small guideline that works, to be changed into one's own.

It is the guideline of docs/tutorial-own-guideline.md: one published recommendation of another country, with its
exclusions, texts, a profile that lets it lead, and cases.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from app.docgen.guideline_schema import locale_schema, overlay_schema, schema
from app.engine.loader import default_folder, source_folders
from app.profiles import FILE as PROFILES
from app.profiles import profile_ids

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SCHEMAS = "schemas"

FILES = {
    "recommendation.txt": """\
US Preventive Services Task Force, final recommendation statement, 14 January 2025:
Osteoporosis to Prevent Fractures: Screening
Women 65 years or older: screening for osteoporosis to prevent osteoporotic fractures. Grade: B
It applies to adults without a diagnosis of osteoporosis and without a history of fragility fractures.
""",
    "source.yaml": """\
# Where the recommendations come from. `file` is the text with the quotations: `osteon check` looks each one up in it.
id: NAME
number: "NAME"
file: recommendation.txt
language: en
title: "Osteoporosis to Prevent Fractures: Screening (US Preventive Services Task Force)"
dated: "2025-01-14"
url: https://www.uspreventiveservicestaskforce.org/uspstf/recommendation/osteoporosis-screening
licence: "work of the United States government; two lines in short"
""",
    "dxa.yaml": """\
# yaml-language-server: $schema=../schemas/guideline.schema.json
# Whom to measure. docs/guideline-language.md explains each key; `osteon explain` shows what it says of a patient.
recommendations:
  - id: NAME.dxa.women-from-65
    source:
      lines: [3]
      quote: ["Women 65 years or older: screening for osteoporosis"]
    strength: recommended
    grade: "B"
    use: card
    advise: refer-dxa
    when:
      all:
        - sex: {is: female}
        - age_years: {at_least: 65, unit: years, written: "65 years or older"}
    unless:
      - {when: NAME-not-for-screening, unknown: silent}
      - {when: {known: lowest_t_score}, unknown: silent}

criteria:
  NAME-not-for-screening:
    meaning: "osteoporosis or a fragility fracture on record, or a bone drug"
    of: NAME
    source:
      lines: [4]
      quote: ["without a diagnosis of osteoporosis and without a history of fragility fractures"]
    when: {any: [osteoporosis_diagnosis, fragility_fracture.any, takes.bone_drug]}
""",
    "locales/en.yaml": """\
# yaml-language-server: $schema=../../schemas/source-texts.schema.json
# The texts of this guideline. A language without a file here shows these. {limit} is filled from the criterion.
language: en
sources:
  NAME:
    short: "USPSTF"
    label: "US Preventive Services Task Force 2025, screening for osteoporosis"
profiles:
  NAME: "US screening recommendation; MSD Manual where it is silent"
statements:
  NAME.dxa.women-from-65:
    statement: "Women of {limit} years or older are screened for osteoporosis."
    because: "woman aged {limit} or older"
""",
    "cases/dxa.yaml": """\
# What a clinician would write down, and what must come of it. Run them: osteon test DIR
- id: NAME-woman-65
  title: "Woman of 65, never measured"
  profile: NAME
  patient: {sex: female, age: 65}
  expect: {fire: [NAME.dxa.women-from-65], advice: [refer-dxa]}
- id: NAME-woman-64
  title: "Woman of 64: below the age"
  profile: NAME
  patient: {sex: female, age: 64}
  expect: {not_fire: [NAME.dxa.women-from-65]}
- id: NAME-man-70
  title: "Man of 70: the recommendation is about women"
  profile: NAME
  patient: {sex: male, age: 70}
  expect: {not_fire: [NAME.dxa.women-from-65]}
- id: NAME-measured
  title: "Woman of 70 with a T-score on record"
  profile: NAME
  patient: {sex: female, age: 70}
  observations:
    - {concept: dxa_t_score, site: total_hip, value: -1.2, days_ago: 100}
  expect: {not_fire: [NAME.dxa.women-from-65]}
- id: NAME-osteoporosis
  title: "Woman of 70 with osteoporosis as a diagnosis: no screening"
  profile: NAME
  patient: {sex: female, age: 70}
  conditions:
    - {concept: osteoporosis, days_ago: 900}
  expect: {not_fire: [NAME.dxa.women-from-65]}
""",
}
PROFILE = "- id: NAME\n  leads: [NAME]\n  fills: [msd]\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the skeleton. Exit status 0, or 2 where the folder cannot be one of a guideline."""
    parser = argparse.ArgumentParser(
        prog="osteon new-guideline", description="Write a small guideline that works, to be changed into one's own."
    )
    parser.add_argument("folder", type=Path, help="OVERLAY/NAME; NAME becomes the id of the source and of its profile")
    folder = parser.parse_args(argv).folder.absolute()
    problem = _problem(folder)
    if problem:
        print(f"osteon new-guideline: {problem}", file=sys.stderr)
        return 2
    for written in write(folder):
        print(written)
    print(f"next: osteon check --local {folder.parent}, osteon test {folder}")
    return 0


def _problem(folder: Path) -> str:
    name = folder.name
    if not _NAME.fullmatch(name):
        return f"{name!r}: lower-case letters, digits and hyphens, the first a letter"
    if name in source_folders(default_folder()) or (default_folder() / name).is_dir():
        return f"{name} ships with the service: choose another name"
    if name in profile_ids(folder.parent):
        return f"there is a profile {name} already"
    return f"{folder} is there already" if folder.exists() else ""


def write(folder: Path) -> list[Path]:
    """Write the files; gives their paths."""
    written = []
    for below, text in FILES.items():
        path = folder / below
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NAME", folder.name), encoding="utf-8")
        written.append(path)
    profiles = folder.parent / PROFILES
    head = profiles.read_text(encoding="utf-8").rstrip("\n") + "\n" if profiles.is_file() else "profiles:\n"
    profiles.write_text(head + PROFILE.replace("NAME", folder.name), encoding="utf-8")
    schemas = folder.parent / _SCHEMAS
    schemas.mkdir(exist_ok=True)
    made = {"guideline": schema(), "source-texts": locale_schema(own=True), "overlay": overlay_schema()}
    for name, content in made.items():
        path = schemas / f"{name}.schema.json"
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
        written.append(path)
    return [*written, profiles]
