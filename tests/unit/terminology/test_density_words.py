"""Which words are bone densitometry (decision 55), and which only look like it."""

from __future__ import annotations

import pytest

from app.chart import DensityKind, DensitySite
from app.terminology.body_sites import density_site_in
from app.terminology.density_words import Standing, density_in_words, says_not_done

T, Z, BMD = DensityKind.T_SCORE, DensityKind.Z_SCORE, DensityKind.BMD


@pytest.mark.parametrize(
    ("text", "kind", "site"),
    [
        ("T-score lumbar spine", T, DensitySite.LUMBAR_SPINE),
        ("T-score L1-L4", T, DensitySite.LUMBAR_SPINE),
        ("T score AP spine L2-L4", T, DensitySite.LUMBAR_SPINE),
        ("DXA Femur [T-score] Bone density", T, DensitySite.FEMUR),
        ("Femur neck left T-score", T, DensitySite.FEMORAL_NECK),
        ("total hip T-score (right)", T, DensitySite.TOTAL_HIP),
        ("Lowest T-score hip", T, DensitySite.HIP),
        ("Radius 33% T-score", T, DensitySite.FOREARM),
        ("Ländrygg T-score", T, DensitySite.LUMBAR_SPINE),
        ("T-værdi hofte", T, DensitySite.HIP),
        ("lænderyg L2-L4 T-score", T, DensitySite.LUMBAR_SPINE),
        ("腰椎T值", T, DensitySite.LUMBAR_SPINE),
        ("左侧股骨颈骨密度T值", T, DensitySite.FEMORAL_NECK),
        ("Lumbar spine Z-score", Z, DensitySite.LUMBAR_SPINE),
        ("Lumbar spine (L1-L4) BMD", BMD, DensitySite.LUMBAR_SPINE),
    ],
)
def test_scores_of_a_site(text: str, kind: DensityKind, site: DensitySite) -> None:
    found = density_in_words(text)
    assert (found.standing, found.kind, found.site) == (Standing.VALUE, kind, site)


@pytest.mark.parametrize(
    "text",
    [
        "FEV1 Z-score",
        "FEV1/FVC z-score",
        "PROMIS Fatigue T-score",
        "Height Z-score",
        "BMI z-score",
        "Weight-for-length Z-score",
        "Head circumference z-score",
        "Aortic root Z-score",
        "MMPI T-score",
        "CBCL total T-score, parent form",
        "Bone age",
        "T-spot",
        "Hip circumference",
    ],
)
def test_other_scores_are_nothing(text: str) -> None:
    assert density_in_words(text).standing is Standing.NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "WOMAC hip T-score",
        "Femur length Z-score",
        "Lumbar spine BMD Z-score, height adjusted",
        "Spine flexibility T-score",
    ],
)
def test_words_that_are_not_known_leave_a_score_of_a_site_unclear(text: str) -> None:
    assert density_in_words(text).standing is Standing.UNCLEAR


@pytest.mark.parametrize(
    "text",
    [
        "T-score lumbar spine, previous exam",
        "Prior T-score hip",
        "Change in BMD L1-L4",
        "Lumbar spine BMD % change vs baseline",
        "T-score hip (last exam)",
        "T-score höft, tidigare",
        "Förändring BMD ländrygg",
        "T-score hofte, tidligere",
        "Ændring i BMD lænderyg",
        "腰椎骨密度变化",
        "上次腰椎T值",
    ],
)
def test_earlier_values_and_differences_are_not_the_value(text: str) -> None:
    assert density_in_words(text).standing is Standing.NOT_THE_VALUE


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("Ward's triangle", DensitySite.OTHER),
        ("Left femur Wards", DensitySite.OTHER),
        ("L2", DensitySite.OTHER),
        ("L3 vertebra", DensitySite.OTHER),
        ("lumbar spine L4", DensitySite.OTHER),
        ("thoracic spine", DensitySite.OTHER),
        ("L1-L4", DensitySite.LUMBAR_SPINE),
        ("L2-4", DensitySite.LUMBAR_SPINE),
        ("L1, L2 and L4", DensitySite.LUMBAR_SPINE),
        ("lumbar spine", DensitySite.LUMBAR_SPINE),
    ],
)
def test_single_vertebrae_and_wards_triangle_are_no_sites(text: str, site: DensitySite) -> None:
    assert density_site_in(text) is site


@pytest.mark.parametrize(
    "text",
    [
        "DXA declined by patient",
        "DEXA not performed",
        "DXA not done, prosthesis",
        "Referral for DXA",
        "DXA ordered",
        "DXA cancelled",
        "DXA avböjd",
        "DXA ikke udført",
        "Henvisning til DXA",
        "骨密度 拒绝",
    ],
)
def test_a_dxa_that_was_not_done(text: str) -> None:
    assert says_not_done(text)


@pytest.mark.parametrize("text", ["DXA hip and spine", "DXA performed", "DXA rygg och höft", "骨密度测定"])
def test_a_dxa_that_was_done(text: str) -> None:
    assert not says_not_done(text)
