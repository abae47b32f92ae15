"""How fast a model runs here, and what that takes: `edgemind bench`.

`measure` runs an engine's five verbs, `machine` looks at memory and other programs meanwhile,
`report` puts it into words, JSON and plots.
"""
