"""How fast is it, against what could be had? Ratios to a raw handler, measured in the same run.

    make bench      python -m benchmarks [QUESTION ...] [--rounds N] [--seconds S]

One module per question (`q1`, ...) with a `NAME`, a `run` that gives an `Outcome`, and the raw handler's `answer`.
`__main__.QUESTIONS` lists the questions, `raw.ANSWERS` the handlers; data that a question needs besides goes into
`school`. `n1` needs no server and a gigabyte of disk: it is asked only by its name.
"""
