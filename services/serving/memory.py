"""The memory of the inputs that wait or run, of all models together."""

from services.errors import TooManyRequests

RETRY_SECONDS = 1


class QueueMemory:
    """How much of it is used. For the event loop."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.used = 0

    def has_room(self, num_bytes: int) -> bool:
        """Whether there is room for inputs; what is larger than all the memory has it when there is nothing else."""
        return self.used + num_bytes <= self._max_bytes or not self.used

    def take(self, num_bytes: int) -> None:
        """Count inputs that come. Raises `TooManyRequests` if there is no room for them."""
        if not self.has_room(num_bytes):
            detail = "The requests that wait fill the memory set aside for them; try again later."
            raise TooManyRequests("queue_full", detail, RETRY_SECONDS)
        self.used += num_bytes

    def give_back(self, num_bytes: int) -> None:
        """Count inputs that go."""
        self.used -= num_bytes
