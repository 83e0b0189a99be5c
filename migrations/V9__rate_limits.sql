-- Rate limits: one counter a tenant and name, in fixed windows.

SET LOCAL ROLE app_owner;

CREATE TABLE app.rate_limits (
    tenant_id         text COLLATE "C" NOT NULL DEFAULT app.current_tenant(),
    id                text COLLATE "C" NOT NULL DEFAULT app.new_id('rate'),
    name              text COLLATE "C" NOT NULL,
    used              integer NOT NULL DEFAULT 0,
    window_started_at timestamptz NOT NULL,
    window_ends_at    timestamptz NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT rate_limits_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT rate_limits_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants (id),
    CONSTRAINT rate_limits_id_format CHECK (id ~ '^rate_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    CONSTRAINT rate_limits_name_length CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT rate_limits_used_range CHECK (used >= 0),
    CONSTRAINT rate_limits_window_order CHECK (window_started_at < window_ends_at),
    CONSTRAINT rate_limits_name_key UNIQUE (tenant_id, name)
);
CREATE INDEX rate_limits_window_ends_at_idx ON app.rate_limits (window_ends_at);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.rate_limits
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();

-- Takes `cost` from the bound tenant's limit of this name, or takes nothing and says when the window ends. Windows
-- start at multiples of `period` since 2000; in each at most `max_calls` are allowed, however many sessions ask at
-- once: the row's lock puts them in order and each sees what the one before has used.
CREATE FUNCTION app.consume_rate_limit(
    limit_name text, max_calls integer, period interval, cost integer DEFAULT 1,
    OUT allowed boolean, OUT remaining integer, OUT resets_at timestamptz)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asked_at CONSTANT timestamptz := clock_timestamp();
    started_at timestamptz;
    used_now integer;
BEGIN
    IF max_calls IS NULL OR max_calls < 0 OR cost IS NULL OR cost < 1 OR period IS NULL OR period <= interval '0' THEN
        RAISE EXCEPTION 'max_calls must be 0 or more, cost 1 or more, and period longer than nothing'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    started_at := date_bin(period, asked_at, timestamptz '2000-01-01 00:00:00+00');

    -- A window never goes back: a session whose clock reading is older than the row's window counts in that one.
    IF cost <= max_calls THEN
        INSERT INTO app.rate_limits AS r (tenant_id, name, used, window_started_at, window_ends_at)
        VALUES (app.current_tenant(), limit_name, cost, started_at, started_at + period)
        ON CONFLICT ON CONSTRAINT rate_limits_name_key DO UPDATE
           SET used = CASE WHEN r.window_ends_at <= asked_at THEN excluded.used ELSE r.used + excluded.used END,
               window_started_at = CASE WHEN r.window_ends_at <= asked_at
                                        THEN excluded.window_started_at ELSE r.window_started_at END,
               window_ends_at = CASE WHEN r.window_ends_at <= asked_at
                                     THEN excluded.window_ends_at ELSE r.window_ends_at END
         WHERE r.window_ends_at <= asked_at OR r.used <= max_calls - excluded.used
        RETURNING r.used, r.window_ends_at INTO used_now, resets_at;
    END IF;
    allowed := used_now IS NOT NULL;

    IF NOT allowed THEN
        SELECT r.used, r.window_ends_at INTO used_now, resets_at
          FROM app.rate_limits r
         WHERE r.tenant_id = app.current_tenant() AND r.name = limit_name AND r.window_ends_at > asked_at;
    END IF;
    remaining := greatest(max_calls - coalesce(used_now, 0), 0);
    resets_at := coalesce(resets_at, started_at + period);
END
$$;

-- Deletes counters whose window is over: a missing one counts as unused.
CREATE FUNCTION app.purge_rate_limits() RETURNS bigint
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH purged AS (
        DELETE FROM app.rate_limits WHERE window_ends_at <= now() RETURNING id
    )
    SELECT count(*) FROM purged;
END;

GRANT EXECUTE ON FUNCTION app.consume_rate_limit(text, integer, interval, integer) TO app_user;
GRANT EXECUTE ON FUNCTION app.purge_rate_limits() TO app_user, app_maintenance;
