"""What profiles and golden records come to in the summaries, written out by hand from the specification."""

from datetime import datetime


def summaries(profiles, golden):
    """``profiles``: id to row; ``golden``: gr_id to family or None. Returns family to its row but the family."""
    newest = {}
    for row in profiles.values():
        family = golden.get(row["gr_id"])
        if family is not None and (family not in newest or _age(row) > _age(newest[family])):
            newest[family] = row
    return {
        family: (
            row["vulnerability_level"],
            row["under_coverage_indicator"],
            "CONFIDENTIAL",
            row["cluster_id"],
            datetime.fromisoformat(row["updated_at"]),
        )
        for family, row in newest.items()
    }


def _age(row):
    return (datetime.fromisoformat(row["updated_at"]), row["profile_id"])
