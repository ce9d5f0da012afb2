"""What the service knows, published as FHIR R4: code systems, value sets, and the guidelines as plan definitions.

Other systems can read from it which codes count as a concept, the content of each recommendation and its place
in the source, without reading Osteon's own files. Nothing here is used to answer a call.
"""

from app.published.published_knowledge import PublishedKnowledge

__all__ = ["PublishedKnowledge"]
