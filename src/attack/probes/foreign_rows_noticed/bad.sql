-- role: probe_noticed_app
-- expect: foreign-rows-noticed EXECUTE public.revenue()
-- expect: foreign-rows-noticed EXECUTE public.invoice_count()
-- expect: foreign-rows-noticed SELECT public.statistics
-- None of them returns a row of anybody.
CREATE ROLE probe_noticed_app NOLOGIN;
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
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO probe_noticed_app;
CREATE FUNCTION public.revenue() RETURNS numeric
    LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT sum(amount) FROM public.invoices';
CREATE FUNCTION public.invoice_count() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT count(*) FROM public.invoices';
CREATE VIEW public.statistics AS SELECT avg(amount) AS mean, count(*) AS invoices FROM public.invoices;
GRANT SELECT ON public.statistics TO probe_noticed_app;
