# syntax=docker/dockerfile:1
# One image for every process of the service; the command chooses which.
#   docker build --target cpu -t syllabus:cpu .
#   docker build --target gpu -t syllabus:gpu .
# Everything the service writes lies under SYLLABUS_HOME, so the root file system can be read-only (with a
# tmpfs on /tmp). Run it with an init process (`--init`, `init: true`): PID 1 then reaps the job processes.

ARG PYTHON=3.11

# --- Packages, built apart so that the images hold no compiler and no pip cache -------------------------
FROM python:${PYTHON}-slim AS packages-cpu
# An index with wheels of torch for the CPU; without one, pip takes what the default index offers.
ARG PIP_EXTRA_INDEX_URL=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /build
# requirements.txt chooses, the lock is the constraint: the tools of development stay out of the image.
COPY requirements.txt requirements.lock ./
RUN pip install --requirement requirements.txt --constraint requirements.lock

FROM packages-cpu AS packages-gpu
# An index with wheels of torch for CUDA. onnxruntime-gpu takes the place of onnxruntime: both install the
# same module, so the first must go before the second comes.
ARG CUDA_INDEX_URL=""
COPY requirements-gpu.txt ./
RUN pip uninstall --yes torch onnxruntime \
    && pip install ${CUDA_INDEX_URL:+--index-url "$CUDA_INDEX_URL"} "torch==2.13.0" \
    && pip install --requirement requirements-gpu.txt --constraint requirements.lock

# --- What both images share ----------------------------------------------------------------------------
FROM python:${PYTHON}-slim AS base
RUN groupadd --gid 10001 syllabus \
    && useradd --uid 10001 --gid syllabus --no-create-home --home-dir /srv --shell /usr/sbin/nologin syllabus \
    && install --directory --owner syllabus --group syllabus --mode 0700 /var/lib/syllabus
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SYLLABUS_HOME=/var/lib/syllabus \
    SYLLABUS_HOST=0.0.0.0 \
    SYLLABUS_PORT=8000
WORKDIR /srv
COPY alembic.ini ./
COPY alembic/ alembic/
COPY shapes/ shapes/
COPY services/ services/
COPY models/ models/
COPY workers/ workers/
COPY api/ api/
# The root file system may be read-only later: byte code is written now or never.
RUN python -m compileall -q .
USER 10001:10001
VOLUME /var/lib/syllabus
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['SYLLABUS_PORT']}/health/live\", timeout=4)"]
CMD ["python", "-m", "api"]

FROM base AS gpu
COPY --from=packages-gpu /opt/venv /opt/venv

# The last stage is what `docker build .` makes.
FROM base AS cpu
COPY --from=packages-cpu /opt/venv /opt/venv
