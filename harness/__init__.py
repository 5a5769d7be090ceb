"""Bakeoff's harness: drives backends in their own interpreters; imports no framework."""
