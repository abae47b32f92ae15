"""What this device offers, what of it is used and why not the rest: `edgemind doctor`.

A part is one module of `parts` with a `RANK` and a function of the module's name, which yields
findings about a `Site`; the file's name is its key.
"""
