"""What is it? One protocol a module, each ending in `PROBE`; pure, without a credential."""
