-- role: probe_function_app
-- expect: function-changes-foreign-rows EXECUTE public.forget(p_id uuid)
-- expect: function-changes-foreign-rows EXECUTE public.note(IN p_tenant_id uuid, IN p_note text)
-- The first removes anybody's row, the second adds one to any tenant.
CREATE ROLE probe_function_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.notes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    note text
);
ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.notes
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.notes TO probe_function_app;
CREATE FUNCTION public.forget(p_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
AS 'DELETE FROM public.notes WHERE id = p_id';
CREATE PROCEDURE public.note(p_tenant_id uuid, p_note text)
    LANGUAGE sql SECURITY DEFINER
AS 'INSERT INTO public.notes (tenant_id, note) VALUES (p_tenant_id, p_note)';
