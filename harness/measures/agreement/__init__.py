"""The measure "agreement": whether a backend computes what the network spec says.

`suite` runs the checks of `checks` on the cases of `cases`, in rounding floors (`floors`); `run_checks` runs them for
many backends, `selftest` tests the checks, `precision` and `convention_effects` measure what the checks do not decide.
"""
