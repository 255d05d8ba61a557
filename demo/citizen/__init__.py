"""Source tables of the citizen portal: their generated history and what goes on happening to them."""
