-- smart_citizen as its owners made it: what the flows read, and what they write here. Run by the platform's
-- administrator; repeatable.

-- Sources -----------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS public.citizens (
    id                  uuid PRIMARY KEY,
    aadhaar_number      varchar(12) UNIQUE,
    mobile_number       varchar(20),
    email               varchar(255),
    full_name           varchar(255),
    date_of_birth       date,
    gender              varchar(20),
    city                varchar(100),
    district            varchar(100),
    pincode             varchar(10),
    verification_status varchar(50) NOT NULL,
    updated_at          timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS citizens_updated ON public.citizens (updated_at);

-- What a citizen owns goes when the citizen goes. The constraints can be deferred, so that a transaction may write in any
-- order. None leads to a table that the synchronisation fills: schemes come when they come.
CREATE TABLE IF NOT EXISTS public.service_applications (
    id           uuid PRIMARY KEY,
    citizen_id   uuid NOT NULL REFERENCES public.citizens ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE,
    scheme_id    uuid NOT NULL,
    status       varchar(50) NOT NULL,
    submitted_at timestamptz,
    approved_at  timestamptz,
    updated_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS service_applications_citizen ON public.service_applications (citizen_id);

ALTER TABLE public.service_applications REPLICA IDENTITY FULL;

CREATE TABLE IF NOT EXISTS public.documents (
    id                  uuid PRIMARY KEY,
    citizen_id          uuid NOT NULL REFERENCES public.citizens ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE,
    application_id      uuid REFERENCES public.service_applications ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE,
    document_type       varchar(50),
    file_name           varchar(255),
    file_path           varchar(500),
    file_size           bigint,
    mime_type           varchar(100),
    content             bytea,
    verification_status varchar(50),
    uploaded_at         timestamptz,
    updated_at          timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS documents_citizen ON public.documents (citizen_id);
CREATE INDEX IF NOT EXISTS documents_application ON public.documents (application_id);

-- Half a million rows a day, kept although a citizen leaves: no foreign key.
CREATE TABLE IF NOT EXISTS public.user_events (
    event_id    uuid PRIMARY KEY,
    citizen_id  uuid NOT NULL,
    event_type  varchar(50) NOT NULL,
    occurred_at timestamptz NOT NULL,
    duration_ms integer,
    properties  jsonb,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS user_events_created ON public.user_events (created_at);
CREATE INDEX IF NOT EXISTS user_events_group ON public.user_events (citizen_id, event_type, occurred_at);

CREATE TABLE IF NOT EXISTS public.feedback (
    id            uuid PRIMARY KEY,
    citizen_id    uuid NOT NULL,
    scheme_id     uuid,
    feedback_type varchar(50),
    rating        integer,
    comment       text,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS feedback_created ON public.feedback (created_at);

-- Targets -----------------------------------------------------------------------------------------------------------

-- The portal reads a family's hints at once, at most five rows: the primary key serves it.
CREATE TABLE IF NOT EXISTS public.eligibility_hints (
    family_id          uuid NOT NULL,
    scheme_code        varchar(50) NOT NULL,
    eligibility_status varchar(50) NOT NULL,
    eligibility_score  numeric(3, 2) NOT NULL,
    confidence         numeric(3, 2) NOT NULL,
    explanation        varchar(500) NOT NULL,
    rank               smallint NOT NULL CHECK (rank BETWEEN 1 AND 5),
    updated_at         timestamptz NOT NULL,
    PRIMARY KEY (family_id, scheme_code)
);

CREATE TABLE IF NOT EXISTS public.profile_summary (
    family_id       uuid PRIMARY KEY,
    vulnerability   varchar(20),
    under_coverage  boolean,
    income_category varchar(20) NOT NULL,
    region          varchar(50),
    updated_at      timestamptz
);

CREATE TABLE IF NOT EXISTS public.profile_data (
    record_id     uuid PRIMARY KEY,
    family_id     uuid,
    jan_aadhaar   varchar(20),
    full_name     varchar(255),
    date_of_birth date,
    gender        varchar(20) NOT NULL,
    district_id   integer,
    city          varchar(100),
    updated_at    timestamptz
);

CREATE INDEX IF NOT EXISTS profile_data_family ON public.profile_data (family_id);

CREATE TABLE IF NOT EXISTS public.application_decisions (
    application_id   uuid PRIMARY KEY,
    family_id        uuid,
    decision_status  varchar(50),
    status           varchar(50),
    risk_score       numeric(5, 4),
    confidence       numeric(5, 4),
    decision_reasons jsonb,
    decision_date    timestamptz
);

CREATE INDEX IF NOT EXISTS application_decisions_family ON public.application_decisions (family_id);

CREATE TABLE IF NOT EXISTS public.notifications (
    id             uuid PRIMARY KEY,
    application_id uuid,
    family_id      uuid,
    type           varchar(50) NOT NULL,
    message        text NOT NULL,
    metadata       jsonb,
    created_at     timestamptz NOT NULL
);

CREATE INDEX IF NOT EXISTS notifications_family ON public.notifications (family_id, created_at);

-- Also a source: applications name a scheme by its id here, the warehouse by its code.
CREATE TABLE IF NOT EXISTS public.schemes (
    id                   uuid PRIMARY KEY,
    code                 varchar(50) NOT NULL UNIQUE,
    name                 varchar(255) NOT NULL,
    description          text,
    category             varchar(100),
    department           varchar(255),
    eligibility_criteria jsonb,
    benefits             jsonb,
    documents_required   jsonb,
    status               varchar(20) NOT NULL,
    last_updated         timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS public.benefit_forecasts (
    forecast_id        uuid PRIMARY KEY,
    family_id          uuid NOT NULL,
    horizon_months     integer NOT NULL,
    total_annual_value numeric(14, 2) NOT NULL,
    scheme_count       integer NOT NULL,
    projections        jsonb,
    generated_at       timestamptz NOT NULL
);

CREATE INDEX IF NOT EXISTS benefit_forecasts_family ON public.benefit_forecasts (family_id, generated_at);

CREATE TABLE IF NOT EXISTS public.ml_alerts (
    alert_id   uuid PRIMARY KEY,
    source     varchar(50) NOT NULL,
    family_id  uuid NOT NULL,
    citizen_id uuid,
    alert_type varchar(50) NOT NULL,
    severity   varchar(20) NOT NULL CHECK (severity IN ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')),
    message    text NOT NULL,
    action_url text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz
);

CREATE INDEX IF NOT EXISTS ml_alerts_family ON public.ml_alerts (family_id, created_at);
