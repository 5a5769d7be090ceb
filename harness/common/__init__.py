"""Modules that every package may use: errors, TOML files, statistics, progress, the cache, and the machine."""
