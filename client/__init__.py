"""Python SDK and command line of Syllabus. It speaks HTTP and knows nothing of the service's code.

```python
from client import Syllabus

with Syllabus() as syllabus:
    job = syllabus.train("lenet", "digits", model="digits-lenet", training={"epochs": 5})
    print(syllabus.jobs.wait(job["id"])["result"]["metrics"])
    print(syllabus.predict("digits-lenet", "digit.png"))
```
"""

from client.api import Syllabus
from client.errors import ApiError, ChecksumMismatch, SyllabusError, Unreachable, WaitTimeout
from client.events import JobEvent

__all__ = [
    "ApiError",
    "ChecksumMismatch",
    "JobEvent",
    "Syllabus",
    "SyllabusError",
    "Unreachable",
    "WaitTimeout",
]
