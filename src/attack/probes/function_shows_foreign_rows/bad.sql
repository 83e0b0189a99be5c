-- role: probe_function_app
-- expect: function-shows-foreign-rows EXECUTE public.by_id(p_id uuid)
-- expect: function-shows-foreign-rows EXECUTE public.search(pattern text)
-- The first forgets the tenant; the second asks for it, and puts its argument into the statement as it is.
CREATE ROLE probe_function_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.invoices (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    amount numeric(10, 2) NOT NULL CHECK (amount > 0),
    note text
);
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.invoices
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO probe_function_app;
CREATE FUNCTION public.by_id(p_id uuid) RETURNS SETOF public.invoices
    LANGUAGE sql STABLE SECURITY DEFINER
AS 'SELECT * FROM public.invoices WHERE id = p_id';
CREATE FUNCTION public.search(pattern text) RETURNS SETOF public.invoices
    LANGUAGE plpgsql STABLE SECURITY DEFINER
AS $$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT * FROM public.invoices
          WHERE tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid
            AND note LIKE ''' || pattern || '''';
END
$$;
