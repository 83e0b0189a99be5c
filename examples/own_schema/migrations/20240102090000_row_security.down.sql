DROP POLICY own ON tasks;
DROP POLICY own ON projects;
DROP POLICY own ON organizations;
DROP FUNCTION current_organization();
