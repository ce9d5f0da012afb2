"""What the service knows, published as FHIR R4: code systems, value sets, and the guidelines as plan definitions.

Other systems can read from it which codes count as a concept, which recommendation says what, and where in its source
it stands, without reading Osteon's own files. Nothing here is used to answer a call.
"""

from app.published.published_knowledge import PublishedKnowledge

__all__ = ["PublishedKnowledge"]
