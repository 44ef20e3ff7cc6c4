"""The simulated department: network namespaces, devices as data, the servers that play them."""
