"""The schema of guidelines/drugs/DRUG.yaml: everything that the service knows about one drug."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from app.engine.schema import Block, DoseOrder, Drug, Strings

Route = Literal["oral", "intravenous", "subcutaneous", "intramuscular", "nasal", "inhaled", "topical"]
System = Literal["atc", "rxnorm", "snomed"]


class Code(Block):
    """A code by which the product is recognised, where it was found, and how surely it means the product."""

    display: str
    found_in: str = Field(alias="from")
    conf: Literal["high", "medium", "low"]
    residual: bool = False
    coarse: str | None = None
    strength_mg: Decimal | None = None
    mg_per_ml: Decimal | None = None


class Acts(Block):
    """How long one dose of a depot drug acts, and the statement that gives the interval."""

    months: int = Field(ge=1)
    from_recommendation: str


class ActsByDose(Block):
    """How long one dose acts, by route, dose or brand. The first rule that fits decides."""

    months: int = Field(ge=1)
    route: Route | None = None
    single_mg: list[Decimal] = []
    name: str | None = None  # regular expression over the name of the product, lower case
    source: str


class LapsesAfter(Block):
    """Months without a dose after which a depot drug counts as stopped although no record says so."""

    months: int = Field(ge=1)
    source: str


class InternationalUnits(Block):
    """International units in one mg of the substance."""

    number: Decimal = Field(gt=0)
    source: str


class PrednisoloneEquivalent(Block):
    """How many mg by mouth equal 5 mg of prednisolone. Outside knowledge (decision 22), never of a guideline."""

    equal_to_5_mg: Decimal = Field(gt=0)
    source: str
    note: str = ""


class ByDose(Block):
    """The product is another one at this dose, interval or brand. The first rule that holds decides."""

    products: Strings = Field(min_length=1)
    reason: str
    single_mg_at_most: Decimal | None = None
    single_mg_at_least: Decimal | None = None
    interval_days_at_most: Decimal | None = None
    name: str | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> ByDose:
        conditions = (self.single_mg_at_most, self.single_mg_at_least, self.interval_days_at_most, self.name)
        if sum(condition is not None for condition in conditions) != 1:
            raise ValueError("exactly one of single_mg_at_most, single_mg_at_least, interval_days_at_most, name")
        return self


class ByRoute(Block):
    """Classes that the product gains or loses by a route."""

    route: Route
    add: Strings = []
    drop: Strings = []


class FollowedBy(Block):
    """The class that the sources want after this drug or class: such an order is no duplicate."""

    followed_by: str = Field(alias="class")
    from_recommendations: Strings = Field(min_length=1)


class Product(Block):
    """What a code or a name of a medication can mean: a substance, a combination, or one of its doses."""

    note: str | None = None
    residual: bool = False  # holds only where no longer code of another concept matches
    classes: Strings = []
    oral_class: str | None = None  # class that it has by mouth, or by an unrecorded route
    route: Route | None = None  # the only route, for records that leave it out
    not_routes: list[Route] = []  # by these it belongs to no class
    acts: Acts | None = None
    acts_by_dose: list[ActsByDose] = []  # where no one interval holds for the product
    same_as: str | None = None  # the product that it equals when records are compared
    general: bool = False  # a group: ignored where the drug itself is named too
    unspecified_of: str | None = None  # the record names only this class
    adrenal_replacement: bool = False
    supersedes: Strings = []  # products that are not said again where the name of this one is found
    iu_per_mg: InternationalUnits | None = None
    prednisolone_equivalent: PrednisoloneEquivalent | None = None
    names: list[str] = []  # regular expressions, lower case
    by_dose: list[ByDose] = []
    by_route: list[ByRoute] = []
    codes: dict[System, dict[str, Code]] = {}


class Suggested(Block):
    """What cards order of the drug; only for drugs that a card can suggest or advise against."""

    route: Route | None = None  # where the classes of the drug on cards depend on it
    codes: list[dict[str, str]] = Field(min_length=1)  # of the suggested order
    orders: dict[str, DoseOrder] = {}  # per guideline source id, or "any"
    advice_from: Strings = []


class DrugFile(Block):
    """A file of guidelines/drugs."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    course: str | None = None  # the product or class that means "has this drug", where guidelines name it: takes.COURSE
    oncological_with_metastasis: bool = False  # treats the cancer where a bone metastasis is known (decision 13)
    stated_by: str | None = None  # diagnosis code for long-term use
    followed_by: FollowedBy | None = None
    lapses_after: LapsesAfter | None = None  # else the time for which one dose acts
    evidence: dict[str, str] = {}  # where the codes were found
    products: dict[str, Product] = Field(min_length=1)
    suggested: Suggested | None = None

    @model_validator(mode="after")
    def _named(self) -> DrugFile:
        if self.course is None and (self.suggested or self.followed_by or self.stated_by):
            raise ValueError("course is needed: the product or class that means 'has this drug'")
        return self

    def drug(self) -> Drug | None:
        """The drug as cards name and suggest it; its classes are those of its first product by its usual route."""
        made = self.suggested
        if made is None or self.course is None:
            return None
        product = next(iter(self.products.values()))
        classes = dict.fromkeys([self.course, *product.classes])
        for rule in product.by_route:
            if rule.route == made.route:
                classes = dict.fromkeys(name for name in [*classes, *rule.add] if name not in rule.drop)
        return Drug(
            id=self.id,
            course=self.course,
            classes=list(classes),
            codes=made.codes,
            orders=made.orders,
            advice_from=made.advice_from,
        )


class DrugClassEntry(Block):
    """A class in guidelines/concepts/drug-classes.yaml; the keys are explained there."""

    meaning: str
    for_bone: bool = False
    oncological_with_metastasis: bool = False
    any_of: Strings = []
    all_of: Strings = []
    routes: list[Route] | None = None
    not_routes: list[Route] = []
    stated_by: str | None = None
    asks: str | None = None
    followed_by: FollowedBy | None = None
    intolerance_shared: bool = False


class DrugClassFile(Block):
    """guidelines/concepts/drug-classes.yaml."""

    classes: dict[str, DrugClassEntry]
