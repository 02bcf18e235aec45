"""What is read of the books, a statement for each table: sets in, sets out, locked in key order."""

# Locked against the closing of the day; alone where it is closed.
DAYS = "SELECT * FROM days_of($1::text[], $2::bool[])"

CLAIM_CORRIDORS = """
SELECT transfer, region, origin, announced_fen FROM claims
 WHERE person = ANY($1) OR transfer = ANY($2)
"""

LOCK_DESTINATIONS = """
SELECT CASE WHEN alone THEN pg_advisory_xact_lock(id) ELSE pg_advisory_xact_lock_shared(id) END
  FROM (SELECT hashtext(name) AS id, bool_or(alone) AS alone
          FROM unnest($1::text[], $2::bool[]) AS u (name, alone) GROUP BY 1 ORDER BY 1) s
"""

ADD_CORRIDORS = """
INSERT INTO corridors (origin, destination)
SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING
"""

CORRIDORS = """
SELECT * FROM corridors
 WHERE (origin, destination) IN (SELECT * FROM unnest($1::text[], $2::text[]))
 ORDER BY origin, destination FOR UPDATE
"""

HOLDERS_READ = "SELECT * FROM holders WHERE person = ANY($1) AND region = ANY($2)"

HOLDERS = f"{HOLDERS_READ} ORDER BY person, region FOR UPDATE"

WAITING = "SELECT look, receipt, part FROM waiting WHERE look = ANY($1)"

PARTS = """
SELECT * FROM receipt_parts
 WHERE (receipt, part) IN (SELECT * FROM unnest($1::uuid[], $2::int[]))
 ORDER BY receipt, part FOR UPDATE
"""


RECEIPTS = "SELECT * FROM receipts WHERE receipt = ANY($1)"

RELEASES = "SELECT * FROM releases WHERE {} ORDER BY person, transfer FOR UPDATE"

CLAIMS = "SELECT * FROM claims WHERE {} ORDER BY person, transfer FOR UPDATE"

# Which releases or claims: asked for by one index where one will do.
OF_PERSONS = "person = ANY($1)"
OF_PERSONS_OR_TRANSFERS = "person = ANY($1) OR transfer = ANY($2)"

# The claims of a destination, an origin and an amount, with the blind keys of their names.
EXPECTED = """
SELECT c.person, c.transfer, c.region, c.origin, c.announced_fen, h.name_keys
  FROM unnest($1::text[], $2::text[], $3::text[]) AS u (region, origin, fen)
  JOIN claims c ON c.region = u.region AND c.origin = u.origin AND c.announced_fen = u.fen::bigint
  JOIN holders h ON h.person = c.person AND h.region = c.region
"""

DECLINED = """
SELECT d.* FROM unnest($1::text[], $2::text[]) AS u (origin, destination)
 CROSS JOIN LATERAL (
   SELECT * FROM declined d
    WHERE NOT d.offered AND d.origin = u.origin AND d.destination = u.destination
    ORDER BY d.declined_at, d.person, d.transfer LIMIT $3) d
"""

# Claims of which one advance would have been too large, the smallest first; not those that wait for
# the corridor meanwhile, offered again or not.
TOO_LARGE = """
SELECT c.* FROM unnest($1::text[], $2::text[]) AS u (origin, destination)
 CROSS JOIN LATERAL (
   SELECT * FROM claims c
    WHERE c.region = u.destination AND c.origin = u.origin AND c.declined = 'single_limit'
      AND c.awaiting_fen > 0
      AND NOT EXISTS (SELECT FROM declined d WHERE d.origin = c.origin
                         AND d.destination = c.region AND d.person = c.person
                         AND d.transfer = c.transfer)
    ORDER BY c.open_fen + c.awaiting_fen, c.person, c.transfer LIMIT $3) c
"""

AGES = """
SELECT * FROM ages
 WHERE (origin, destination) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND open_fen > 0
"""

MOVEMENTS = """
SELECT * FROM movements WHERE (person, record) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
"""

INSTRUCTIONS = """
SELECT * FROM instructions
 WHERE (person, transfer, run) IN (SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[]))
"""

ANNOUNCEMENTS = """
SELECT * FROM return_announcements
 WHERE (person, announcement) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
"""

CHANGES = "SELECT * FROM account_changes ORDER BY since, changed_at, region, bank"

NOTES = "SELECT * FROM bank_notes WHERE note = ANY($1)"

# Whether a region knows somebody of this exact name.
NAMED = """
SELECT u.* FROM unnest($1::text[], $2::text[]) AS u (region, name_key)
 WHERE EXISTS (
   SELECT FROM holders h WHERE h.region = u.region AND h.name_keys[1] = u.name_key)
"""

LINES = "SELECT receipt, sealed, booked_on FROM receipts WHERE receipt = ANY($1)"

ITEMS = """
SELECT * FROM items WHERE subject = ANY($1) OR item = ANY($2) ORDER BY about, item FOR UPDATE
"""

# The payments that were applied to a person's transfer (their entries name them), or are too much.
APPLIED = """
SELECT DISTINCT e.transfer, split_part(e.subject, '/', 1)::uuid AS receipt,
       split_part(e.subject, '/', 2)::int AS part
  FROM entries e JOIN unnest($1::text[], $2::uuid[]) AS u (person, transfer)
    ON e.person = u.person AND e.transfer = u.transfer
 WHERE e.kind = 'apply'
 UNION
SELECT u.transfer, w.receipt, w.part FROM unnest($2::uuid[]) AS u (transfer)
  JOIN waiting w ON w.look = replace(u.transfer::text, '-', '')
"""
