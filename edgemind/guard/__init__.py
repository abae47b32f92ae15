"""Locks that the kernel keeps: once on they cannot be taken off, and children inherit them.

They know nothing of what they guard. Each function tells whether its lock is on, so that a caller
on a system without it can choose what to do instead.
"""
