-- Who is asking: NULL when nobody is bound, so that comparisons are never true.
CREATE FUNCTION current_organization() RETURNS uuid LANGUAGE sql STABLE
AS $$ SELECT NULLIF(current_setting('app.current_organization', true), '')::uuid $$;

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON organizations USING (id = current_organization());

ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE projects FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON projects USING (organization_id = current_organization());

ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tasks USING (organization_id = current_organization());

GRANT SELECT, INSERT, UPDATE, DELETE ON organizations, projects, tasks TO board_app;
GRANT SELECT ON colours TO board_app;
