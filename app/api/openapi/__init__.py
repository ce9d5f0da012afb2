"""The OpenAPI document: descriptions, schemas, assembly."""
