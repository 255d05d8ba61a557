"""What a source row of a mirror flow is in the target, written out by hand from the specification."""

import json
import uuid
from datetime import date, datetime
from decimal import Decimal


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
        "family_id": None if row["family_id"] is None else _uuid(row["family_id"]),
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
        "gr_id": None,  # nobody is matched there
    }


def application_decisions(row):
    return {
        "application_id": _uuid(row["application_id"]),
        "family_id": None if row["family_id"] is None else _uuid(row["family_id"]),
        "decision_status": row["decision"],
        "status": row["status"],
        "risk_score": None if row["risk_score"] is None else Decimal(row["risk_score"]),
        "confidence": None if row["confidence"] is None else Decimal(row["confidence"]),
        "decision_reasons": None if row["reasons"] is None else json.loads(row["reasons"]),
        "decision_date": _time(row["decision_timestamp"]),
    }


EXPECTED = {
    "application_decisions": application_decisions,
    "document_metadata": document_metadata,
    "golden_records": profile_data,
}
