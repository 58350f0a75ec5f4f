"""An HTTP/2 server that answers each request with a 404 in JSON; it prints its port.

It is a process of its own, since HPACK logs what it decodes as well as what it encodes.
"""

import asyncio
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

BODY = b'{"detail": "No Publisher matches the given query."}'
HEADERS = [
    (":status", "404"),
    ("content-type", "application/json"),
    ("content-length", str(len(BODY))),
]


async def serve(reader, writer):
    connection = H2Connection(H2Configuration(client_side=False))
    connection.initiate_connection()
    writer.write(connection.data_to_send())
    while data := await reader.read(65536):
        for event in connection.receive_data(data):
            if isinstance(event, RequestReceived):
                assert dict(event.headers)[b"authorization"]
                connection.send_headers(event.stream_id, HEADERS)
                connection.send_data(event.stream_id, BODY, end_stream=True)
        writer.write(connection.data_to_send())
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until its parent ends
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
