"""The window (`edgemind desktop`): shows the events of answering, and decides nothing about them.

`start.py` is the way in and loads no Qt; `app.py` opens the window. What is said to a model goes
through `edgemind.conversation`, as in the command line. Modules without Qt: `start`, `model`
(the model's thread's work), `shelf` (the disk's), `thinking` (events folded into what is shown),
`keys` (the table of shortcuts). Models and disks are worked with in two threads (`worker`); this
process's main thread draws.
"""
