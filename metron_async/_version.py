"""The version of the package, the one place where it stands.

It is read from here and not from the installed metadata, since finding those costs more than
importing the rest of the package does.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
