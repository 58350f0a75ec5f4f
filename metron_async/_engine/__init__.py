"""How one request is made: from a call to a typed answer, in one direction.

Read in this order: :mod:`~metron_async._engine.messages` (the values that travel),
:mod:`~metron_async._engine.pipeline` (the way of one call),
:mod:`~metron_async._engine.single_flight` (the request itself, owned by the client),
:mod:`~metron_async._engine.transport` (one attempt over HTTP). What is decided on the way is in
:mod:`~metron_async._engine.protocol` and :mod:`~metron_async._engine.retry`, without any I/O.
"""
