"""Risk features: what the facts of a chart mean, as values with their evidence.

`Features(chart, settings).feature(name)` gives one feature; `catalogue().spec(name)` says what a name means.
"""

from app.features.model import Evidence, Feature, FeatureSettings, FeatureSpec, Kind
from app.features.patient_features import FeatureCycle, Features, catalogue
from app.features.registry import Catalogue, UnknownFeature

__all__ = [
    "Catalogue",
    "Evidence",
    "Feature",
    "FeatureCycle",
    "FeatureSettings",
    "FeatureSpec",
    "Features",
    "Kind",
    "UnknownFeature",
    "catalogue",
]
