-- role: probe_history_app
CREATE ROLE probe_history_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.notes (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    note text
);
CREATE TABLE public.history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    old jsonb,
    new jsonb
);
ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.history ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.notes
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
CREATE POLICY tenant ON public.history
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.notes TO probe_history_app;
GRANT SELECT ON public.history TO probe_history_app;
CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO public.history (tenant_id, old, new)
    VALUES (coalesce(NEW.tenant_id, OLD.tenant_id), to_jsonb(OLD), to_jsonb(NEW));
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE TRIGGER keep AFTER INSERT OR UPDATE OR DELETE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.keep();
