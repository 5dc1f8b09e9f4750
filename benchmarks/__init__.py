"""How fast is it, against what could be had? Ratios to a raw handler, measured in the same run.

One module per question (`q1`, ...); each has a `NAME` and a `run`, and `benchmarks.__main__` lists it.
"""
