-- 300 tenants with 60 users, sessions, calls and cached responses each, for plans that mean something.
INSERT INTO app.tenants (name, slug) SELECT 'volume', 'volume-' || n FROM generate_series(1, 300) n;
INSERT INTO app.users (tenant_id, email)
SELECT t.id, n || '@example.com' FROM app.tenants t CROSS JOIN generate_series(1, 60) n;
INSERT INTO app.sessions (tenant_id, user_id, token_hash, expires_at)
SELECT tenant_id, id, sha256(convert_to(id, 'UTF8')), now() + interval '1 day' FROM app.users;
INSERT INTO app.processes (tenant_id, name) SELECT id, 'volume' FROM app.tenants;
INSERT INTO app.process_versions (tenant_id, process_id, environment, version)
SELECT tenant_id, id, 'SANDBOX', 1 FROM app.processes WHERE name = 'volume';
INSERT INTO app.call_logs (tenant_id, process_version_id, input_hash, status, latency_ms, created_at)
SELECT tenant_id, id, sha256(convert_to(n::text, 'UTF8')), 200, n, now() - n * interval '1 second'
  FROM app.process_versions CROSS JOIN generate_series(1, 60) n WHERE version = 1;
INSERT INTO app.response_caches (tenant_id, process_version_id, input_hash, output, expires_at)
SELECT tenant_id, id, sha256(convert_to(n::text, 'UTF8')), '{}', now() + interval '1 day'
  FROM app.process_versions CROSS JOIN generate_series(1, 60) n WHERE version = 1;
