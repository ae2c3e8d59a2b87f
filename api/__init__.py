"""The HTTP gateway: parses requests, calls one service method, answers. It holds no logic of its own."""
