"""Messages: the words that leave the house, and the channels that carry them.

``render`` makes a text from the catalogue; ``guard`` refuses what may not be in it; the
channels send it. Nothing here knows the database: ``office.notices`` keeps what must arrive.
"""
