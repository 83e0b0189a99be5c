-- One row in every table of the reference schema, for the tenant that the session is bound to: no statement names it.
INSERT INTO app.users (email, name) VALUES ('ada@example.com', 'Ada');
INSERT INTO app.accounts (user_id, type, provider, provider_account_id)
SELECT id, 'oauth', 'github', 'ada' FROM app.users;
INSERT INTO app.sessions (user_id, token_hash, expires_at)
SELECT id, sha256(convert_to(app.new_id('demo'), 'UTF8')), now() + interval '1 day' FROM app.users;
INSERT INTO app.verification_tokens (identifier, token_hash, expires_at)
SELECT email, sha256(convert_to(app.new_id('demo'), 'UTF8')), now() + interval '1 hour' FROM app.users;
INSERT INTO app.processes (name, description) VALUES ('classify', 'sorts incoming mail');
INSERT INTO app.process_versions (process_id, environment, version) SELECT id, 'PRODUCTION', 1 FROM app.processes;
INSERT INTO app.api_keys (name, key_hash, scopes, environment)
VALUES ('backend', sha256(convert_to(app.new_id('demo'), 'UTF8')), '{run}', 'PRODUCTION');
INSERT INTO app.call_logs (process_version_id, api_key_id, input_hash, status, latency_ms)
SELECT v.id, k.id, sha256('input'), 200, 12 FROM app.process_versions v, app.api_keys k;
INSERT INTO app.response_caches (process_version_id, input_hash, output, expires_at)
SELECT id, sha256('input'), '{"label": "invoice"}', now() + interval '1 hour' FROM app.process_versions;
SELECT app.consume_rate_limit('calls', 100, interval '1 minute');
