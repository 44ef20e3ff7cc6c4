"""Devices -> findings, pure: packs are data, checks are templates, judging is a function.

Nothing here opens anything but the pack files that it is given, and nothing reads a clock.
"""
