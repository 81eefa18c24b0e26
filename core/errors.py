"""The one exception for input that a person can mend."""


class InputError(Exception):
    """Something the person gave cannot be used.

    The message is one line that says what is wrong, where, and what to do. The command line prints it and
    leaves with exit code 2; the console shows it in place.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
