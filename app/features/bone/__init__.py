"""Features of bone: density, DXA, fractures, FRAX, back pain."""
