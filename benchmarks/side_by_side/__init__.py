"""Measures deflect beside fastText, scikit-learn and spaCy on the same texts: ``python -m benchmarks.side_by_side``."""
