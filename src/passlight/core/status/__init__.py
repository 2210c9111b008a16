"""Status: the colour in force for one person at one instant, and why."""
