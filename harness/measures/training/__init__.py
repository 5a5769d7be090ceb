"""Training: how a variant learns, epoch by epoch, and what becomes of fields that the spec leaves to the framework.

`train` trains and records, `defaults` compares networks trained with framework defaults, `figures` declares the
figures. The modules are imported by name: they need NumPy.
"""

__all__ = ["defaults", "figures", "train"]
