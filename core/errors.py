"""Errors that every room may raise: input that the user can fix, and a request to stop."""


class InputError(Exception):
    """Something the user gave cannot be used.

    The message is one line that says what is wrong, where, and what to do. The command line prints it and
    exits with code 2; the console shows it in place.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """Raised inside something long, such as a download, to end it because a stop was requested."""
