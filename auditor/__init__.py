"""The answer to: which banned cameras do we still have, where, under which rule?"""

__version__ = "0.1.0"
