"""The answer to: which banned cameras do we still have, where, under which rule?"""

import os

__version__ = "0.1.0"

# numpy serves as tables of numbers here; the linear algebra that comes with it would start a
# thread on every core as soon as it is imported, which takes time and memory for nothing.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# What we validate nobody's plug-ins of pydantic take part in; looking for them takes time, too.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
