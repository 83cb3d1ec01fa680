"""The program of ``make fuzz`` is run, not imported: its modules find each other as a script's do."""

collect_ignore = ["fuzz.py", "mutate.py", "readers.py"]
