"""What can go wrong with the stack on one machine, each named once."""


class LocalStackError(Exception):
    """The local stack cannot do what was asked; the message says what to look at."""


class StartError(LocalStackError):
    """A process ended, or was not healthy in time; the message carries the end of its log."""


class StopError(LocalStackError):
    """A process is still there after it was killed."""


class DownloadError(LocalStackError):
    """Kafka's jars could not be resolved or do not load."""


class TopicError(LocalStackError):
    """Kafka refused to make or delete a topic, or has it in another shape."""
