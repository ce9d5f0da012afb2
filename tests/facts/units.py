"""Factors between units, from molar masses and the definitions of the units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.terminology.code_sets import terminology

MOLAR_MASS = {  # g/mol
    "creatinine": 113.12,  # C4H7N3O
    "calcium": 40.078,  # Ca
    "calcium_ionised": 40.078,
    "urine_calcium": 40.078,
    "albumin": 66_500.0,
    "vitamin_d": 400.64,  # calcidiol, C27H44O2
    "pth": 9_425.0,  # 84 amino acids
    "haemoglobin": 16_114.0,  # one chain with its haem: the "mmol/L" of laboratories in Denmark
    "testosterone": 288.42,  # C19H28O2
    "phosphate": 30.974,  # reported as phosphorus
    "magnesium": 24.305,
}
GRAMS_PER_LITRE = {"g/L": 1.0, "g/dL": 10.0, "mg/L": 1e-3, "mg/dL": 1e-2, "ug/L": 1e-6, "ng/mL": 1e-6, "ng/L": 1e-9}
GRAMS_PER_LITRE |= {"pg/mL": 1e-9, "ng/dL": 1e-8, "mg/(24.h)": 1e-3}
MOLES_PER_LITRE = {"mmol/L": 1e-3, "umol/L": 1e-6, "nmol/L": 1e-9, "pmol/L": 1e-12, "mmol/(24.h)": 1e-3}
DEFINED: Mapping[tuple[str, str], float] = {  # (unit, canonical unit) -> factor
    ("m", "cm"): 100,
    ("[in_i]", "cm"): 2.54,
    ("g", "kg"): 0.001,
    ("[lb_av]", "kg"): 0.45359237,
    ("mL/s", "mL/min"): 60,
    ("mL/min", "mL/min/{1.73_m2}"): 1,  # Danish laboratories print eGFR without the area
    ("ukat/L", "U/L"): 60,  # 1 kat = 1 mol/s, 1 U = 1 umol/min
    ("mg/cm2", "g/cm2"): 0.001,
    ("1", "{count}"): 1,
    ("{count}", "1"): 1,
}
POSSIBLE = {  # a value that patients have, and one that only another unit explains, in the canonical unit
    "t_score": (-4.5, -25),
    "z_score": (-4.5, -25),
    "bmd": (0.6, 600),
    "qct": (60, 600),
    "frax": (62, 110),
    "height": (148, 1.48),
    "weight": (42, 42_000),
    "bmi": (14.5, 3),
    "creatinine": (900, 0.9),
    "egfr": (12, 300),
    "clearance": (12, 400),
    "calcium": (3.4, 9.5),
    "calcium_ionised": (1.6, 4.8),
    "albumin": (18, 3.5),
    "vitamin_d": (4, 1_000),
    "pth": (900, 50_000),
    "tsh": (60, 2_000),
    "alp": (900, 50_000),
    "alp_bone": (90, 5_000),
    "haemoglobin": (70, 8),
    "esr": (110, 400),
    "m_component": (60, 600),
    "testosterone": (0.5, 450),
    "ctx": (1_200, 50_000),
    "p1np": (300, 20_000),
    "urine_calcium": (12, 300),
    "phosphate": (0.4, 12),
    "magnesium": (0.5, 20),
    "crp": (300, 3_000),
    "temperature": (39.5, 103),
    "alcohol": (8, 500),
    "falls": (12, 5_000),
    "fall_score": (60, 900),
    "menopause_age": (42, 1_980),
    "height_loss": (6, 160),
    "dietary_calcium": (1_200, 60_000),
    "exercise_day": (45, 2_000),
    "exercise_week": (150, 20_000),
}
TOLERANCE = 0.005
"""Tables round molar masses: PTH 9.43, haemoglobin 16.1."""


def factor(quantity: str, unit: str, canonical: str) -> float | None:
    """What a number in `unit` is multiplied by for one in `canonical`; None where no fact tells."""
    if unit == canonical:
        return 1.0
    if (unit, canonical) in DEFINED:
        return DEFINED[unit, canonical]
    mass = MOLAR_MASS.get(quantity)
    scales: list[float] = []
    for one in (unit, canonical):
        if one in GRAMS_PER_LITRE:
            scales.append(GRAMS_PER_LITRE[one])
        elif one in MOLES_PER_LITRE and mass:
            scales.append(MOLES_PER_LITRE[one] * mass)
        else:
            return None
    return scales[0] / scales[1]


def wrong_units() -> Iterator[str]:
    """Factors of guidelines/concepts/units.yaml that are not those of the facts, or of which there is no fact."""
    for name, entry in terminology().raw["units"]["quantities"].items():
        for unit, written in entry["from"].items():
            expected = factor(name, unit, entry["unit"])
            if expected is None:
                yield f"{name}: no fact about {unit} in {entry['unit']}"
            elif abs(float(written) - expected) > TOLERANCE * expected:
                yield f"{name}: {unit} is {expected:.6g} {entry['unit']}, the table has {written}"
        if name not in POSSIBLE:
            yield f"{name}: no fact about its range"
            continue
        low, high = map(float, entry["possible"])
        inside, outside = POSSIBLE[name]
        if not low <= inside <= high:
            yield f"{name}: {inside} {entry['unit']} occurs, the range is {low} to {high}"
        if low <= outside <= high:
            yield f"{name}: {outside} {entry['unit']} does not occur, the range is {low} to {high}"
    for name in POSSIBLE.keys() - terminology().raw["units"]["quantities"].keys():
        yield f"{name}: the table has no such quantity"
