"""What the machine is: its name, processor, limits and clocks. Read, never changed.

Linux shows it in `/sys` and `/proc`, whose `root` a test replaces; elsewhere psutil and `sysctl`
say less. What cannot be read is not known, and nothing here fails for it.
"""
