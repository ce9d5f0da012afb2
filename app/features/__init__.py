"""Risk features: what the facts of a chart mean, as values with their evidence.

`PatientFeatures(chart, settings).feature(name)` gives one feature; `catalogue().spec(name)` describes it.
"""

from app.features.catalogue import Catalogue, UnknownFeature
from app.features.evaluation import PatientFeatures, catalogue
from app.features.model import Evidence, Feature, FeatureCycle, FeatureSettings, FeatureSpec, Kind

__all__ = [
    "Catalogue",
    "Evidence",
    "Feature",
    "FeatureCycle",
    "FeatureSettings",
    "FeatureSpec",
    "Kind",
    "PatientFeatures",
    "UnknownFeature",
    "catalogue",
]
