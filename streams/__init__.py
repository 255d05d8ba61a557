"""HOW events arrive: whole fetches from Faust, one lane per partition, one transaction per chunk."""
