"""The checks are checked: each is shown to catch a liar, and to let the honest pass."""
