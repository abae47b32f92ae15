"""The parts of an examination, one module each: a `RANK`, and a function of the module's name."""
