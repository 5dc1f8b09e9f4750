-- The tables that grow with every message, split by school into 16 parts each.
--
--     psql --single-transaction -v ON_ERROR_STOP=1 -f docs/postgresql/partition.sql "$DATABASE"
--
-- With all servers stopped. It copies the tables, so it takes a while and room for a second copy. Migrations that come
-- later work on them as on any other table. Run it once; a second run finds nothing to do.

CREATE FUNCTION pg_temp.split(whole text, key text, parts int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    old text := whole || '_whole';
    point record;
    made text[] := '{}';
    owned text;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = whole::regclass) = 'p' THEN
        RAISE NOTICE '% is split already', whole;
        RETURN;
    END IF;
    -- What points at it, what it points at, and its indexes are made again afterwards, as they were.
    FOR point IN
        SELECT conrelid::regclass::text AS at, conname AS name, pg_get_constraintdef(oid) AS says
        FROM pg_constraint
        WHERE contype = 'f' AND conparentid = 0 AND (conrelid = whole::regclass OR confrelid = whole::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', point.at, point.name);
        made := made || format('ALTER TABLE %I ADD CONSTRAINT %I %s', point.at, point.name, point.says);
    END LOOP;
    FOR point IN
        SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS says,
               indisunique AND NOT (indkey::int[] @> ARRAY[(
                   SELECT attnum::int FROM pg_attribute WHERE attrelid = whole::regclass AND attname = 'organization_id'
               )]) AS is_narrow,
               EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) AS is_key
        FROM pg_index WHERE indrelid = whole::regclass
    LOOP
        -- A unique index over parts has to name what splits them: those without it become plain ones, and stay
        -- unique by the key below, which adds the school.
        IF point.is_narrow THEN
            made := made || replace(point.says, 'CREATE UNIQUE INDEX', 'CREATE INDEX');
        ELSIF NOT point.is_key OR point.says NOT LIKE format('%%(%s)', key) THEN
            made := made || point.says;
        END IF;
    END LOOP;
    EXECUTE format('ALTER TABLE %I RENAME TO %I', whole, old);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE) '
                   'PARTITION BY HASH (organization_id)', whole, old);
    FOR part IN 0..parts - 1 LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s)',
                       whole || '_' || part, whole, parts, part);
    END LOOP;
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', whole, old);
    FOR point IN
        SELECT pg_get_serial_sequence(old, attname) AS sequence, attname AS column
        FROM pg_attribute WHERE attrelid = old::regclass AND attnum > 0 AND pg_get_serial_sequence(old, attname) <> ''
    LOOP
        EXECUTE format('ALTER SEQUENCE %s OWNED BY %I.%I', point.sequence, whole, point.column);
    END LOOP;
    EXECUTE format('DROP TABLE %I', old);
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (%s)', whole, key);
    FOREACH owned IN ARRAY made LOOP
        -- first the indexes, which stand at the end of the list, then what points through them
        IF owned LIKE 'CREATE%' THEN EXECUTE owned; END IF;
    END LOOP;
    FOREACH owned IN ARRAY made LOOP
        IF owned NOT LIKE 'CREATE%' THEN EXECUTE owned; END IF;
    END LOOP;
END $$;

SELECT pg_temp.split('recipients', 'organization_id, message_id, place', 16);
SELECT pg_temp.split('deliveries', 'organization_id, user_id, message_id', 16);
SELECT pg_temp.split('events', 'organization_id, number', 16);
SELECT pg_temp.split('messages', 'organization_id, id', 16);

ANALYZE;
