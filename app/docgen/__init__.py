"""Writers of the generated pages of docs/ and of the OpenAPI document."""
