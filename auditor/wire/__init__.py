"""Bytes to values and back, one encoding a module, sources cited; no sockets, no clock.

Whatever is read here is hostile: every reader is bounded by its input's length, and gives
None, an empty tuple or DataError as its docstring says; nothing else ever comes out.
"""
