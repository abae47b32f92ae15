"""Smaller copies of a model, and what they cost in quality: `edgemind models quantize`."""
