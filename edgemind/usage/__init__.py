"""What answers cost, kept across processes: the record, the budgets that it holds, its report.

`account.py` counts an answer while it runs and says what it may spend; `database.py` is the one
SQLite file, which survives kills and damage; `limits.py` says what is left of what, in words;
`report.py` sums it up. No text of a prompt or an answer ever comes here.
"""
