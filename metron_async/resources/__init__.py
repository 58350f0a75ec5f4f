"""What the API offers: one small module per namespace of the client.

A namespace only declares: its path, its types, its filters. What they have in common stands in
:mod:`~metron_async.resources.base`; how a request is made is the engine's business.
"""
