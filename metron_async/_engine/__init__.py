"""How one request is made: from a call to a decoded response, in one direction.

Read in this order: :mod:`~metron_async._engine.messages` (the values),
:mod:`~metron_async._engine.caller` (one call), :mod:`~metron_async._engine.single_flight` (the
request, owned by the client), :mod:`~metron_async._engine.sender` (its attempts), and
:mod:`~metron_async._engine.transport` (one attempt over HTTP). The decisions on the way are in
:mod:`~metron_async._engine.protocol` and :mod:`~metron_async._engine.retry`, without any I/O.
"""
