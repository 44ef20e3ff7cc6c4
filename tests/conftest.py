"""What every test tree shares: properties are judged by what holds, not by how busy the machine is."""

from hypothesis import settings

settings.register_profile("ours", deadline=None)
settings.load_profile("ours")
