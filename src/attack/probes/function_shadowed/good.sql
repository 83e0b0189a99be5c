-- role: probe_shadow_app
CREATE ROLE probe_shadow_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.invoices (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    amount numeric(10, 2) NOT NULL CHECK (amount > 0)
);
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.invoices
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT ON public.invoices TO probe_shadow_app;
CREATE FUNCTION public.my_total() RETURNS numeric LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT sum(amount) FROM invoices
     WHERE tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid
$$;
