-- A project board: organizations are the tenants, by UUID. Numbered as sqlx does it.
CREATE TABLE organizations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL
);

CREATE TABLE projects (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    title text NOT NULL CHECK (title <> ''),
    UNIQUE (organization_id, id)
);

CREATE TABLE tasks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    project_id uuid NOT NULL,
    title text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    -- With the organization in it, so that no task can hang on another's project.
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id) ON DELETE CASCADE
);

-- The same for all.
CREATE TABLE colours (name text PRIMARY KEY, hex char(7) NOT NULL);
INSERT INTO colours VALUES ('sky', '#87ceeb'), ('moss', '#8a9a5b');
