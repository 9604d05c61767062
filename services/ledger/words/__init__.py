"""A statement as its reader says it: what happened, why, and what there is now; in Polish, Russian and English."""
