"""RocksDB-backed Faust tables: the candidates of each group and their ranking."""
