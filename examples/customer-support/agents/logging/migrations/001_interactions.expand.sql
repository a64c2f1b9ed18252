-- What was asked and answered. Runs once; a later change is another file: 002_what_it_adds.expand.sql, ...
CREATE TABLE IF NOT EXISTS interactions (
  id text PRIMARY KEY,
  session text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  message text NOT NULL,
  answer text NOT NULL,
  decision text NOT NULL CHECK (decision IN ('answer', 'clarify', 'escalate')),
  citations text[] NOT NULL DEFAULT '{}',
  duration_ms integer NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS interactions_by_session ON interactions (session, at);
