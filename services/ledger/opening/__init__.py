"""Opening balances: points that members bring from an old system, from a CSV file, each account once."""
