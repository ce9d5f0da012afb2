"""What a feature remarks about a value: a code with its values, worded in the locale files (section `notes`).

No text of a language is here: the code is the key of the text, and `NOTE_VALUES` names the placeholders.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

NoteValue = str | int | Decimal | date
"""A value of a note. Texts come from the record and are shown as they are, but see `NOTE_WORDS`."""


class NoteCode(StrEnum):
    """Every remark that a feature makes."""

    # Where the value comes from
    RECORDED = "recorded"  # words of the record
    SITE = "site"
    RESULT = "result"
    REPORT = "report"
    PROCEDURE = "procedure"
    PLANNED = "planned"
    DRAFT_ORDER = "draft_order"
    PRELIMINARY = "preliminary"
    MATCHED_BY_TEXT = "matched_by_text"
    READ_FROM_TEXT = "read_from_text"
    LOCAL_CODE = "local_code"
    RECORD_DATE = "record_date"
    CODE_AND_TEXT_DIFFER = "code_and_text_differ"
    SITE_CONTRADICTORY = "site_contradictory"
    OTHER_SITE = "other_site"
    OTHER_DIAGNOSES = "other_diagnoses"
    SUSPECTED = "suspected"
    TEXT_NOT_UNDERSTOOD = "text_not_understood"
    EARLY_MENOPAUSE = "early_menopause"
    MECHANISM_NOT_RECORDED = "mechanism_not_recorded"
    LEVEL = "level"
    # Beside which value it stands
    PREVIOUS_VALUE = "previous_value"
    EARLIER_VALUE = "earlier_value"
    EARLIER_WEIGHT = "earlier_weight"
    TALLEST_ON_RECORD = "tallest_on_record"
    CHANGE = "change"
    # How it was worked out
    FROM_WEIGHT_AND_HEIGHT = "from_weight_and_height"
    COCKCROFT_GAULT_FEMALE = "cockcroft_gault_female"
    COCKCROFT_GAULT_MALE = "cockcroft_gault_male"
    ASSUMED_FROM_AGE = "assumed_from_age"
    AGE_AT_MENOPAUSE = "age_at_menopause"
    LAST_MENSTRUAL_PERIOD = "last_menstrual_period"
    PREDNISOLONE_EQUIVALENT = "prednisolone_equivalent"
    AVERAGE = "average"
    # Why it is not used
    TOO_OLD = "too_old"
    UNDATED = "undated"
    TOO_OLD_OR_UNDATED = "too_old_or_undated"
    NO_FLAG = "no_flag"
    UNIT_OF_VALUE_NOT_KNOWN = "unit_of_value_not_known"
    NO_UNIT = "no_unit"
    IMPOSSIBLE = "impossible"
    SAID_ABSENT = "said_absent"
    AS_TEXT_ONLY = "as_text_only"
    IN_WORDS = "in_words"
    REPORT_NOT_READ = "report_not_read"
    # The course of a drug
    START_NOT_RECORDED = "start_not_recorded"
    NO_RECENT_SIGN_OF_USE = "no_recent_sign_of_use"
    NOT_IDENTIFIED = "not_identified"
    ON_HOLD = "on_hold"
    ENDS = "ends"
    DAYS_AGO = "days_ago"
    LAST_DOSE_NOT_RECORDED = "last_dose_not_recorded"
    REASON_FOR_STOPPING = "reason_for_stopping"
    # Why its dose is not known
    DOSE_NOT_RECORDED = "dose_not_recorded"
    DOSE_OF_THE_SALT = "dose_of_the_salt"
    AS_NEEDED = "as_needed"
    NO_DOSAGE = "no_dosage"
    FREE_TEXT_ONLY = "free_text_only"
    NO_PERIOD = "no_period"
    NO_AMOUNT = "no_amount"
    TAPERING = "tapering"
    A_RANGE = "a_range"
    TIMING_CONTRADICTORY = "timing_contradictory"
    TIMING_NOT_READABLE = "timing_not_readable"
    SEVERAL_DOSES = "several_doses"
    RATE_WITHOUT_DURATION = "rate_without_duration"
    TOO_MANY_INSTRUCTIONS = "too_many_instructions"
    DOSAGE_NOT_READABLE = "dosage_not_readable"
    UNIT_NOT_KNOWN = "unit_not_known"
    NO_DOSE_FOR_LONG = "no_dose_for_long"
    SINGLE_ADMINISTRATION = "single_administration"


NOTE_VALUES: Final[Mapping[NoteCode, tuple[str, ...]]] = {
    NoteCode.RECORDED: ("text",),
    NoteCode.SITE: ("site",),
    NoteCode.SITE_CONTRADICTORY: ("coded", "named"),
    NoteCode.LEVEL: ("level",),
    NoteCode.CHANGE: ("percent",),
    NoteCode.FROM_WEIGHT_AND_HEIGHT: ("weight", "height"),
    NoteCode.COCKCROFT_GAULT_FEMALE: ("creatinine", "weight", "age"),
    NoteCode.COCKCROFT_GAULT_MALE: ("creatinine", "weight", "age"),
    NoteCode.ASSUMED_FROM_AGE: ("age",),
    NoteCode.AGE_AT_MENOPAUSE: ("age",),
    NoteCode.LAST_MENSTRUAL_PERIOD: ("day",),
    NoteCode.ENDS: ("day",),
    NoteCode.DAYS_AGO: ("days",),
}
"""The values of a note in their order, by the names that they have as placeholders; the others have none."""

NOTE_WORDS: Final = frozenset({NoteCode.SITE, NoteCode.SITE_CONTRADICTORY})
"""Notes whose values are words of a closed list: shown by the section `words` of the locale."""


class Note(Struct, frozen=True, gc=False):
    """One remark. `values` as in `NOTE_VALUES`; `product`: the drug as recorded, where several are shown together."""

    code: NoteCode
    values: tuple[NoteValue, ...] = ()
    product: str = ""


Notes = tuple[Note, ...]


def note(code: NoteCode, *values: NoteValue, product: str = "") -> Note:
    """A note."""
    return Note(code, values, product)


OUT_OF_DATE: Final = frozenset({NoteCode.TOO_OLD, NoteCode.UNDATED, NoteCode.TOO_OLD_OR_UNDATED})
"""Notes of recorded values that are requested again (decision 9)."""


def is_out_of_date(notes: Notes) -> bool:
    """Whether a value is recorded but requested again."""
    return any(one.code in OUT_OF_DATE for one in notes)
