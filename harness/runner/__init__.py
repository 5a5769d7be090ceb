"""Planning and carrying out a run.

`start` begins or resumes a run; `comparison` carries it out: `schedule` orders environments, checks and trainings,
`timing` plans the rounds, and `findings` is what later phases know of earlier ones. The modules are imported by name.
"""

__all__ = ["comparison", "findings", "schedule", "start", "timing"]
