"""The platform's side of the demonstration: its tables, a generated history and a trickle of changes.

Stands for the two teams whose databases are synchronised; knows nothing of the flows. Everything is drawn from seeds.
"""
