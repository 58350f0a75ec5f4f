"""The namespaces of the client, one module each.

A namespace declares its path, types and filters. :mod:`~metron_async.resources.base` has what
they share.
"""
