"""What is asked of closed days, of months and of evidence, as SQL."""

# Rows of `daily` that are not what the postings of that day come to, or do not add up.
DAILY_MISFITS = """
WITH closed AS (
  SELECT region, max(day) AS day FROM closings WHERE balanced_at IS NOT NULL GROUP BY region),
between AS (
  SELECT p.region, p.debit, p.credit, p.business_date AS day, sum(p.amount_fen) AS fen
    FROM postings p JOIN closed c ON c.region = p.region AND p.business_date <= c.day
   GROUP BY 1, 2, 3, 4),
legs AS (
  SELECT region, debit AS account, day, fen AS debit, 0 AS credit FROM between
  UNION ALL SELECT region, credit, day, 0, fen FROM between),
posted AS (
  SELECT region, account, day, sum(debit) AS debit, sum(credit) AS credit
    FROM legs GROUP BY 1, 2, 3)
SELECT count(*) FROM (
  SELECT p.debit, p.credit, d.debit_fen, d.credit_fen, d.debit_total_fen, d.credit_total_fen,
         sum(p.debit) OVER past AS debits, sum(p.credit) OVER past AS credits
    FROM posted p FULL JOIN daily d USING (region, account, day)
  WINDOW past AS (PARTITION BY region, account ORDER BY day)) s
 WHERE (debit, credit, debits, credits)
       IS DISTINCT FROM (debit_fen, credit_fen, debit_total_fen, credit_total_fen)
"""

# What was open at the end of a day: what is open now, without what was posted since.
OPEN_ADVANCES = """
WITH since AS (
  SELECT e.person, e.transfer,
         sum(CASE WHEN p.debit LIKE 'advance:%' THEN p.amount_fen ELSE -p.amount_fen END) AS fen
    FROM postings p JOIN entries e ON e.person = p.person AND e.id = p.entry
   WHERE p.business_date > $2 AND p.region = ANY($1)
     AND (p.debit LIKE 'advance:%' OR p.credit LIKE 'advance:%') GROUP BY 1, 2),
stood AS (
  SELECT c.origin, c.region, c.announced_on, c.open_fen - coalesce(s.fen, 0) AS fen
    FROM claims c LEFT JOIN since s USING (person, transfer) WHERE c.region = ANY($1))
SELECT origin, region AS destination, announced_on, count(*) AS claims, sum(fen)::bigint AS open_fen
  FROM stood WHERE fen > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

# Bank lines that an entry of the transfer names in its subject, and those that name the transfer
# and still wait.
MATCHED = """
WITH named AS (
  SELECT split_part(subject, '/', 1)::uuid AS receipt, split_part(subject, '/', 2)::int AS part
    FROM entries
   WHERE person = ANY($1) AND transfer = $2 AND kind IN ('apply', 'debit', 'return', 'send-back',
     'undo-match')
  UNION SELECT receipt, part FROM waiting WHERE look = $3)
SELECT r.receipt, n.part, r.account, r.region, r.booked_on,
       coalesce(p.amount_fen, r.amount_fen) AS amount_fen,
       coalesce(p.applied_fen, 0) AS applied_fen,
       coalesce(p.verdict, r.booked) AS verdict, coalesce(p.rule, 'reference') AS rule,
       coalesce(p.evidence, '{}') AS evidence
  FROM named n JOIN receipts r USING (receipt)
  LEFT JOIN receipt_parts p ON p.receipt = n.receipt AND p.part = n.part
 ORDER BY r.booked_on, r.receipt, n.part
"""

# How interest came about: the person's account before the entry, day by day, and what the books had
# accrued. What stood there when it was credited before, stands there from then on.
REASONS_OF_INTEREST = """
WITH asked AS (
  SELECT r.*, e.n, b.n AS before, b.until AS since
    FROM reckonings r JOIN entries e ON e.person = r.person AND e.id = r.entry
    LEFT JOIN LATERAL (
      SELECT f.n, q.until FROM reckonings q JOIN entries f ON f.person = q.person AND f.id = q.entry
       WHERE q.person = r.person AND q.region = r.region AND f.n < e.n ORDER BY f.n DESC LIMIT 1) b
      ON true
   WHERE r.person = ANY($1) AND r.entry = ANY($2))
SELECT a.entry, a.region, a.until, a.accrued, a.amount_fen,
       CASE WHEN e.n <= a.before THEN greatest(p.business_date, a.since) ELSE p.business_date END
         AS day,
       sum(CASE WHEN p.credit = 'personal' THEN p.amount_fen ELSE -p.amount_fen END)::bigint AS fen
  FROM asked a JOIN postings p ON p.person = a.person AND p.region = a.region
   AND 'personal' IN (p.debit, p.credit)
  JOIN entries e ON e.person = p.person AND e.id = p.entry AND e.n < a.n
 GROUP BY a.n, 1, 2, 3, 4, 5, 6 ORDER BY a.n, 6
"""

# Accounts of regions with rates (parts of a fen a day, for each time; the last one has no end) that
# have accrued something else than their postings since they were credited.
INTEREST_MISFITS = """
WITH rates AS (
  SELECT * FROM unnest($1::text[], $2::date[], $3::date[], $4::bigint[])
    AS u (region, since, until, parts)),
credited AS (
  SELECT DISTINCT ON (r.person, r.region) r.person, r.region, r.until, e.n
    FROM reckonings r JOIN entries e ON e.person = r.person AND e.id = r.entry
   ORDER BY r.person, r.region, e.n DESC),
moved AS (
  SELECT p.person, p.region, CASE WHEN e.n <= c.n THEN greatest(p.business_date, c.until)
                                  ELSE p.business_date END AS day,
         sum(CASE WHEN p.credit = 'personal' THEN p.amount_fen ELSE -p.amount_fen END) AS fen
    FROM postings p JOIN entries e ON e.person = p.person AND e.id = p.entry
    LEFT JOIN credited c ON c.person = p.person AND c.region = p.region
   WHERE p.region = ANY($1) AND 'personal' IN (p.debit, p.credit) GROUP BY 1, 2, 3)
SELECT count(*) FROM (
  SELECT h.accrued, coalesce(sum(m.fen * r.parts
           * greatest(0, least(r.until, h.accrued_on) - greatest(r.since, m.day))), 0) AS earned
    FROM holders h JOIN rates r ON r.region = h.region
    LEFT JOIN moved m ON m.person = h.person AND m.region = h.region
   GROUP BY h.person, h.region) s
 WHERE accrued <> earned
"""

# The last days on which an account moved: closed ones, and those since.
MOVED = """
SELECT day, sum(debit)::bigint AS debit_fen, sum(credit)::bigint AS credit_fen FROM (
  SELECT day, debit_fen AS debit, credit_fen AS credit FROM daily
   WHERE region = $1 AND account = $2 AND day <= $3
  UNION ALL
  SELECT business_date, CASE WHEN debit = $2 THEN amount_fen ELSE 0 END,
         CASE WHEN credit = $2 THEN amount_fen ELSE 0 END
    FROM postings WHERE region = $1 AND $2 IN (debit, credit) AND business_date <= $3
     AND business_date > coalesce((SELECT max(day) FROM closings
                                    WHERE region = $1 AND balanced_at IS NOT NULL), '-infinity')
) AS m GROUP BY day ORDER BY day DESC LIMIT $4
"""

# The last comparison by a day; `since` is the first of those that left something unexplained, up
# to the last one.
MIRRORS = """
SELECT DISTINCT ON (origin, destination) m.*,
       CASE WHEN unexplained_fen <> 0 THEN (
         SELECT min(day) FROM mirrors b
          WHERE b.origin = m.origin AND b.destination = m.destination AND b.day <= m.day
            AND b.unexplained_fen <> 0 AND b.day > coalesce((
              SELECT max(day) FROM mirrors w
               WHERE w.origin = m.origin AND w.destination = m.destination AND w.day < m.day
                 AND w.unexplained_fen = 0), '-infinity')) END AS since
  FROM mirrors m WHERE day <= $2 AND (origin = ANY($1) OR destination = ANY($1))
 ORDER BY origin, destination, day DESC
"""
