-- Daily partitions are made ahead and dropped behind; services own no tables, so this runs as the
-- owner. A day's partition is called <parent>_<yyyymmdd>. What waits here for a long reader has all
-- others wait behind it, so it does not wait long. Attaching lets others read and write, which
-- CREATE ... PARTITION OF does not; DROP does not either.
CREATE OR REPLACE FUNCTION cell.keep_partitions(
    parent regclass, first date, last date, drop_before date)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '2s' AS $$
DECLARE
    space  text := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.oid = parent);
    name   text := (SELECT relname FROM pg_class WHERE oid = parent);
    day    date;
    child  text;
    unsent boolean;
    old    text[] := '{}';
BEGIN
    IF space IS DISTINCT FROM (SELECT substr(session.role, 7)
                               FROM (SELECT current_setting('role') AS role) AS session)
       AND current_setting('role') <> 'none' THEN
        RAISE EXCEPTION 'a service keeps the partitions of its own tables only';
    END IF;
    FOR day IN SELECT generate_series(first, last, interval '1 day')::date LOOP
        child := format('%I.%I', space, name || to_char(day, '_YYYYMMDD'));
        IF to_regclass(child) IS NULL THEN
            EXECUTE format('CREATE TABLE %s (LIKE %I.%I INCLUDING ALL)', child, space, name);
            EXECUTE format('ALTER TABLE %I.%I ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
                           space, name, child, day, day + 1);
        END IF;
    END LOOP;
    FOR child, day IN SELECT format('%I.%I', space, c.relname), to_date(right(c.relname, 8), 'YYYYMMDD')
                 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE i.inhparent = parent AND right(c.relname, 8) < to_char(drop_before, 'YYYYMMDD')
    LOOP
        unsent := false;
        IF name = 'outbox' THEN
            -- What was never published is kept, however old. Of each lane the index has the last.
            EXECUTE format('SELECT coalesce(bool_or((SELECT max(o.seq) FROM %s o'
                           ' WHERE o.day = %L AND o.lane = l.name) > l.published), false)'
                           ' FROM %I.lanes l', child, day, space) INTO unsent;
        END IF;
        IF NOT unsent THEN
            old := old || child;
        END IF;
    END LOOP;
    -- Last: from here on nobody else comes to the table until this commits.
    IF old <> '{}' THEN
        EXECUTE 'DROP TABLE ' || array_to_string(old, ', ');
    END IF;
END $$;
