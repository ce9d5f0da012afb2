"""Code sets, codes, names, codeable concepts, units, drug classes and body sites."""
