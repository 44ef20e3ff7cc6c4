"""Who is there? One way to ask a module, each ending in `SWEEP`; pure, found by `plugins.load`."""
