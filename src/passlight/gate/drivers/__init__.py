"""Real drivers of the ports, one module a device."""
