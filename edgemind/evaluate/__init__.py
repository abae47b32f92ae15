"""Measuring: data sets, policies side by side, stopping rules replayed, plots.

Reached from `edgemind eval`. `datasets` reads questions, `harness` asks them under several policies
and keeps what it has, `replay` runs stopping rules over recorded samples, `fitting` makes the prior
that those rules use, `statistics` and `plots` say what came of it.
"""
