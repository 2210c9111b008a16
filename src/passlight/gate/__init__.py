"""Gate: the agent of one door (数字哨兵); decides alone, stores, forwards."""
