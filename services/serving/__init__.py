"""The serving engine: predictions from ONNX, for any transport.

ONNX Runtime reads its telemetry switch when it is imported, so it is set here, before any module of this
package can import it.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
