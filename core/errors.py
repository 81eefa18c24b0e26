"""Errors that every room may raise: input that the user can fix, and a request to stop."""


class InputError(Exception):
    """Input of the user that is invalid.

    The message is one line: what is wrong, where, and what to do. The command line prints it and exits with
    code 2; the console shows it in place.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """Raised inside a long operation, such as a download, to end it when a stop is requested."""
