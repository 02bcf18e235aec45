"""A release says its interest again as it said it first, whatever two people have found since."""

from alembic import op

revision = "0040"
down_revision = "0038"


def upgrade() -> None:
    # corrected_fen: by so much two people have found the interest to be more, or less, than
    # interest_fen, which was said with version 1; each time is a version of its own.
    op.execute("ALTER TABLE settlement.releases ADD COLUMN corrected_fen bigint NOT NULL DEFAULT 0")
    op.execute("""
        UPDATE settlement.releases r
           SET interest_fen = interest_fen - c.fen, corrected_fen = c.fen
          FROM (SELECT e.person, e.transfer,
                       sum(CASE p.credit WHEN 'personal' THEN p.amount_fen
                                         ELSE -p.amount_fen END) AS fen
                  FROM settlement.entries e
                  JOIN settlement.postings p ON p.person = e.person AND p.entry = e.id
                 WHERE e.kind = 'correct-interest' GROUP BY 1, 2) c
         WHERE c.person = r.person AND c.transfer = r.transfer
    """)
    # What was proposed was taken for the amount, by which it was decided who may approve.
    op.execute("UPDATE settlement.items SET amount_fen = NULL WHERE queue = 'interest'")
