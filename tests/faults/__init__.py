"""Faults that are injected, and input that is damaged: each must end in a row or a sentence. The long form: bench/faults.py."""
