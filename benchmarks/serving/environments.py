"""A virtual environment a server, since they disagree on versions; made by pip when it is first needed.

They lie in `build/peers/`, or in the folder that `SYLLABUS_BENCH_PEERS` names.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ("onnxruntime==1.32.0", "pillow==13.0.0")
REQUIREMENTS = {
    "mlserver": ("mlserver==1.7.1", *SHARED),
    "litserve": ("litserve==0.2.19", *SHARED),
    "bento": ("bentoml==1.4.39", *SHARED),
    "ray": ("ray[serve]==2.60.0", *SHARED),
    # The wheel with the whole of Triton in it.
    "triton": ("nvidia-pytriton==0.7.0", *SHARED),
}


class NotInstalled(Exception):
    """A server's environment could not be made; the message says why."""


def python(name: str) -> Path:
    """The interpreter of an environment, which is made or completed first. Raises `NotInstalled`."""
    directory = Path(os.environ.get("SYLLABUS_BENCH_PEERS", ROOT / "build" / "peers")).absolute() / name
    interpreter = directory / "bin" / "python"
    try:
        if not interpreter.exists():
            print(f"Installing {', '.join(REQUIREMENTS[name])} into {directory}", file=sys.stderr)
            _call(sys.executable, "-m", "venv", str(directory))
        # With everything there already, pip only looks and asks no index.
        _call(str(interpreter), "-m", "pip", "install", "--quiet", *REQUIREMENTS[name])
    except subprocess.CalledProcessError as error:
        lines = error.stdout.strip().splitlines() or [f"exit status {error.returncode}"]
        raise NotInstalled(lines[-1]) from None
    return interpreter


def site_packages(interpreter: Path) -> Path:
    """Where an environment's packages lie."""
    scheme = {"base": str(interpreter.parents[1]), "platbase": str(interpreter.parents[1])}
    return Path(sysconfig.get_path("platlib", "venv", scheme))


def _call(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
