-- role: probe_effect_app
CREATE ROLE probe_effect_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.posts (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    comments integer NOT NULL DEFAULT 0,
    UNIQUE (tenant_id, id)
);
CREATE TABLE public.comments (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    post_id uuid NOT NULL,
    body text,
    FOREIGN KEY (tenant_id, post_id) REFERENCES public.posts (tenant_id, id)
);
ALTER TABLE public.posts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.comments ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.posts
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
CREATE POLICY tenant ON public.comments
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.posts TO probe_effect_app;
GRANT SELECT, INSERT, DELETE ON public.comments TO probe_effect_app;
CREATE FUNCTION public.count_comment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE public.posts SET comments = comments + 1
     WHERE id = NEW.post_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER count_comment AFTER INSERT ON public.comments FOR EACH ROW EXECUTE FUNCTION public.count_comment();
