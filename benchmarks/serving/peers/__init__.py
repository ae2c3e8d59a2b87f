"""The other servers: one file each, written as that server's own documentation recommends.

They run in environments of their own (`benchmarks.serving.environments`) with the repository on `PYTHONPATH`, so
nothing but `classifier` is imported from here. How each is started and asked: `benchmarks.serving.contenders`.
"""
