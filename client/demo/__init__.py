"""`python -m client.demo`: the main job on the embedded stack, start to end."""
