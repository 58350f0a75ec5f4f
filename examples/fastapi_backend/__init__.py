"""A web backend on Metron with FastAPI: see :mod:`fastapi_backend.app`."""
