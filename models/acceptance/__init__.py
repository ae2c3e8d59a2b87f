"""Whether an ONNX file that a user sent in can be served, found out in a process that may die of it.

In this order: is it ONNX at all (`parsing`); what does it say of itself, without running anything (`structure`,
`shapes`); does it load and answer, in little memory and time (`trial`); what does it take and give (`signature`).
Every refusal is a `JobError` with a code of its own.
"""
