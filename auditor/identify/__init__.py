"""Facts to opinions, pure: what was seen -> who made it, how sure that is, and why."""
