"""The one exception that a user's input can cause."""


class InputError(Exception):
    """Bad usage or input: the command prints the message and ends with exit code 2.

    The message says what was expected, what came, and what to do.
    """
