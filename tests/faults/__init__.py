"""Injected faults and damaged input: each must end in a row or a sentence. bench/faults.py is the long form."""
