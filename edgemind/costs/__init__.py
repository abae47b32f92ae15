"""What thinking costs on this machine: learned from every step, told before the first one.

`model.py` is the cost model; it is made of `lines.py` (seconds by context length, robustly fitted),
`history.py` (what earlier answers were like), `forecast.py` (the same, played forward) and kept in
the cache folder by `store.py`. Nothing here reads a clock or a meter.
"""
