-- What all services of a cell share: keys wrapped by the master key, and the business clock.
CREATE SCHEMA cell;

CREATE TABLE cell.person_keys (
    person  text PRIMARY KEY,
    wrapped bytea NOT NULL
);

CREATE TABLE cell.statement_keys (
    month   text PRIMARY KEY,
    wrapped bytea NOT NULL
);

-- Business time is real time plus this offset; zero outside a sandbox.
CREATE TABLE cell.clock (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    offset_us bigint NOT NULL DEFAULT 0
);
INSERT INTO cell.clock DEFAULT VALUES;

CREATE FUNCTION cell.business_now() RETURNS timestamptz LANGUAGE sql STABLE AS
    'SELECT clock_timestamp() + offset_us * interval ''1 microsecond'' FROM cell.clock';

-- Daily partitions are made ahead and dropped behind; services own no tables, so this runs as the
-- owner. A day's partition is called <parent>_<yyyymmdd>.
CREATE FUNCTION cell.keep_partitions(parent regclass, first date, last date, drop_before date)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    space  text := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.oid = parent);
    name   text := (SELECT relname FROM pg_class WHERE oid = parent);
    day    date;
    child  text;
    unsent boolean := false;
BEGIN
    IF space IS DISTINCT FROM (SELECT substr(session.role, 7)
                               FROM (SELECT current_setting('role') AS role) AS session)
       AND current_setting('role') <> 'none' THEN
        RAISE EXCEPTION 'a service keeps the partitions of its own tables only';
    END IF;
    FOR day IN SELECT generate_series(first, last, interval '1 day')::date LOOP
        child := format('%I.%I', space, name || to_char(day, '_YYYYMMDD'));
        IF to_regclass(child) IS NULL THEN
            EXECUTE format('CREATE TABLE %s PARTITION OF %I.%I FOR VALUES FROM (%L) TO (%L)',
                           child, space, name, day, day + 1);
        END IF;
    END LOOP;
    FOR child IN SELECT format('%I.%I', space, c.relname) FROM pg_inherits i
                 JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE i.inhparent = parent AND right(c.relname, 8) < to_char(drop_before, 'YYYYMMDD')
    LOOP
        IF name = 'outbox' THEN
            -- What was never published is kept, however old.
            EXECUTE format('SELECT EXISTS (SELECT FROM %s o JOIN %I.lanes l ON l.name = o.lane'
                           ' WHERE o.seq > l.published)', child, space) INTO unsent;
        END IF;
        IF NOT unsent THEN
            EXECUTE 'DROP TABLE ' || child;
        END IF;
    END LOOP;
END $$;
