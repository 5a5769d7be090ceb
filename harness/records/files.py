"""The names of the files in a run folder: docs/reference/run-folder.md says what each holds."""

HEADER_FILE, RECORDS_FILE = "run.json", "records.jsonl"
MISTAKES_FILE, DEPLOYMENT_FILE, CHECK_FILE = "mistakes.jsonl", "deployment.jsonl", "check.csv.gz"
"""What `bakeoff mistakes`, `deploy` and `check` leave with --records, where the verdict and the report find it."""
SELF_TEST_FILE = "selftest.json"
"""What `bakeoff selftest --json` printed."""

REQUIRED = (HEADER_FILE, RECORDS_FILE)
OPTIONAL = (MISTAKES_FILE, DEPLOYMENT_FILE, CHECK_FILE, SELF_TEST_FILE)
WITH_RECORDS = (RECORDS_FILE, MISTAKES_FILE, DEPLOYMENT_FILE)
"""Those that have a record a line."""
