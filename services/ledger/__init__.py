"""The books: what happened to members' points, guarded, proved and projected for queries."""
