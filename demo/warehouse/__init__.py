"""Source tables of the warehouse: their generated history and what goes on happening to them."""
