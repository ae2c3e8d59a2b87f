"""Celery workers: claim a job, run it in a child process, record what it came to. Never imports torch."""
