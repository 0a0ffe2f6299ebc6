"""What can go wrong, one class per error code of the engine.

Every class is a `LaminaError` and also the built-in exception that a Python programmer would
expect, so `except KeyError`, `except ValueError` and `except OSError` work as usual.
"""

from typing import ClassVar


class LaminaError(Exception):
    """Base of all errors raised by Lamina."""

    code: ClassVar[str] = ""

    def __str__(self) -> str:
        # KeyError would show the repr of its message.
        return str(self.args[0]) if self.args else ""


class InvalidArgument(LaminaError, ValueError):
    """The caller's input is wrong; retrying cannot help."""

    code = "kInvalidArgument"


class NotFound(LaminaError, KeyError):
    """No such handle, snapshot, table or file."""

    code = "kNotFound"


class AlreadyExists(LaminaError):
    """The name is taken by something else; pass `replace=True` where that is offered."""

    code = "kAlreadyExists"


class Conflict(LaminaError):
    """Lost a race with another writer; retry from a fresh snapshot."""

    code = "kConflict"


class Corruption(LaminaError):
    """Stored or given bytes fail a check; the message names file and place."""

    code = "kCorruption"


class IoError(LaminaError, OSError):
    """The operating system refused to read or write."""

    code = "kIo"


class ResourceExhausted(LaminaError, MemoryError):
    """A limit was reached: memory, disk, descriptors, size of an input."""

    code = "kResourceExhausted"


class Unsupported(LaminaError, NotImplementedError):
    """Valid, but not something this version can do."""

    code = "kUnsupported"


class Cancelled(LaminaError):
    """The work was interrupted."""

    code = "kCancelled"


class InternalError(LaminaError, RuntimeError):
    """A bug in Lamina."""

    code = "kInternal"


def class_of(code: str) -> type[LaminaError]:
    """The class for an error code as reports spell it, such as `kNotFound`."""
    return _BY_CODE.get(code, InternalError)


_BY_CODE = {cls.code: cls for cls in LaminaError.__subclasses__()}
