-- role: probe_taken_app
CREATE ROLE probe_taken_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.users (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    email text NOT NULL,
    CONSTRAINT users_email_key UNIQUE (tenant_id, email)
);
ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.users
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.users TO probe_taken_app;
