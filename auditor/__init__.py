"""Which banned cameras do we still have, where, under which rule, and how do we know?"""

__version__ = "0.1.0"
