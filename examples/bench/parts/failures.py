"""What can go wrong, each with the next step for whoever runs the script."""


class Missing(Exception):
    """Something that is needed is not there; `hint` says how to get it."""

    def __init__(self, what, hint):
        super().__init__(what)
        self.hint = hint


class Failed(Exception):
    """A server did not start, or did not take an event; what it said is in the text."""
