"""The one exception for what a worker does wrong."""


class WorkerFailed(Exception):
    """A worker raised an exception, died, hung, or gave an answer that the contract forbids.

    `kind` is one of raised, died, hung, "broke the contract", "not finite"; `traceback` is the worker's own; of
    one that died, what it printed last; or "".
    `exception` and `said` are the type and the message of the exception that the worker raised, or "".
    """

    def __init__(self, kind: str, message: str, traceback: str = "", exception: str = "", said: str = "") -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.traceback = traceback
        self.exception = exception
        self.said = said
