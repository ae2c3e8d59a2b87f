"""Predictions without the web framework: body in, answer out.

The same functions serve both ways into the gateway: the routes of `api.routes`, where requests of every shape
come through the framework, and the short way of `api.connection` for what makes up nearly all of the load.
"""
