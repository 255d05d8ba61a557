"""What a source row of a mirror flow is in the target, written out by hand from the specification."""

import uuid
from datetime import date, datetime


def _uuid(text):
    return uuid.UUID(text)


def _time(text):
    return None if text is None else datetime.fromisoformat(text)


def _date(text):
    return None if text is None else date.fromisoformat(text.rstrip("Z"))


def profile_data(row):
    number = row["jan_aadhaar"]
    masked = None if number is None else "****" if len(number) < 8 else "****-****-" + number[-4:]
    return {
        "record_id": _uuid(row["gr_id"]),
        "family_id": _uuid(row["family_id"]),
        "jan_aadhaar": masked,
        "full_name": row["full_name"],
        "date_of_birth": _date(row["date_of_birth"]),
        "gender": "UNKNOWN" if row["gender"] is None else row["gender"],
        "district_id": row["district_id"],
        "city": row["city_village"],
        "updated_at": _time(row["updated_at"]),
    }


def document_metadata(row):
    return {
        "document_id": _uuid(row["id"]),
        "citizen_id": _uuid(row["citizen_id"]),
        "document_type": row["document_type"],
        "file_name": row["file_name"],
        "file_size": row["file_size"],
        "verification_status": row["verification_status"],
        "uploaded_at": _time(row["uploaded_at"]),
    }


EXPECTED = {"golden_records": profile_data, "document_metadata": document_metadata}
