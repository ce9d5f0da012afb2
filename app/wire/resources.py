"""Any resource: the kinds that are read, and all other kinds of FHIR, of which only the kind is known."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from msgspec import defstruct

from app.wire import bundle, call, record
from app.wire.bundle import Bundle, OperationOutcome
from app.wire.conditions import AllergyIntolerance, Condition, FamilyMemberHistory
from app.wire.medications import (
    Medication,
    MedicationAdministration,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
)
from app.wire.observations import DiagnosticReport, Observation
from app.wire.patient import Patient
from app.wire.procedures import Procedure, ServiceRequest
from app.wire.record import Record

READ: tuple[type[Record], ...] = (
    Patient,
    Observation,
    DiagnosticReport,
    Condition,
    FamilyMemberHistory,
    AllergyIntolerance,
    Procedure,
    ServiceRequest,
    MedicationStatement,
    MedicationRequest,
    MedicationAdministration,
    MedicationDispense,
    Medication,
    OperationOutcome,
    Bundle,
)
"""The kinds of resources that are read."""

_OTHER_R4 = """
    Account ActivityDefinition AdverseEvent Appointment AppointmentResponse AuditEvent Basic Binary
    BiologicallyDerivedProduct BodyStructure CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem
    ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest
    CompartmentDefinition Composition ConceptMap Consent Contract Coverage CoverageEligibilityRequest
    CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement
    DocumentManifest DocumentReference EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest
    EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario ExplanationOfBenefit
    Flag Goal GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy Immunization
    ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library Linkage List
    Location Measure MeasureReport Media MedicationKnowledge MedicinalProduct MedicinalProductAuthorization
    MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
    MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
    MedicinalProductUndesirableEffect MessageDefinition MessageHeader MolecularSequence NamingSystem NutritionOrder
    ObservationDefinition OperationDefinition Organization OrganizationAffiliation Parameters PaymentNotice
    PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole Provenance Questionnaire
    QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy
    ResearchSubject RiskAssessment RiskEvidenceSynthesis Schedule SearchParameter Slot Specimen SpecimenDefinition
    StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein
    SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification SupplyDelivery SupplyRequest Task
    TerminologyCapabilities TestReport TestScript ValueSet VerificationResult VisionPrescription
"""
_OTHER_STU3_AND_R5 = """
    ActorDefinition AdministrableProductDefinition ArtifactAssessment BiologicallyDerivedProductDispense BodySite
    Citation ClinicalUseDefinition ConditionDefinition DataElement DeviceAssociation DeviceComponent DeviceDispense
    DeviceUsage EligibilityRequest EligibilityResponse EncounterHistory EvidenceReport ExpansionProfile
    FormularyItem GenomicStudy ImagingManifest ImagingSelection Ingredient InventoryItem InventoryReport
    ManufacturedItemDefinition MedicinalProductDefinition NutritionIntake NutritionProduct PackagedProductDefinition
    Permission ProcedureRequest ProcessRequest ProcessResponse ReferralRequest RegulatedAuthorization
    RequestOrchestration Requirements Sequence ServiceDefinition SubscriptionStatus SubscriptionTopic
    SubstanceDefinition TestPlan Transport
"""


class Other(Record, frozen=True, gc=False):
    """A resource of a kind that is not read."""


class Damaged(Record, frozen=True, gc=False, tag="Damaged"):
    """A resource that did not fit its type, without the members that could not be read. Made here, never decoded.

    `members`: paths of what is missing, of names in these types only, such as "code.coding.system".
    """

    record: Record | None = None
    members: tuple[str, ...] = ()


_others: list[Any] = [
    defstruct(name, [], bases=(Other,), frozen=True, gc=False, tag=name)
    for name in f"{_OTHER_R4} {_OTHER_STU3_AND_R5}".split()
]
Resource: Any = reduce(or_, (*READ, *_others))
# The types that hold any resource were defined before all kinds were.
for module in (record, bundle, call):
    module.Resource = Resource  # type: ignore[attr-defined]
