"""The books go back: what was taken back, lost, owed by a person, and owed back to an origin."""

from alembic import op

revision = "0006"
down_revision = "0024"


def upgrade() -> None:
    _releases()
    _claims()
    # A record that was reversed is its origin's again.
    op.execute(
        "ALTER TABLE enrollment.releases DROP CONSTRAINT releases_state_check,"
        " ADD CONSTRAINT releases_state_check CHECK (state IN ('accepted', 'released', 'refused',"
        " 'cancelled', 'withheld', 'terminated', 'restored'))"
    )


def _releases() -> None:
    # waived_fen: of released_fen, forgiven by D before it was instructed; forgiven_fen: all that D
    # has said it waives. lowered_fen: corrected down, in all. restored_fen: given back by
    # reversals, of which there were `restorations`. What was taken back after it had been
    # instructed is D's no longer: it left debited_fen for overpaid_fen.
    op.execute(
        "ALTER TABLE settlement.releases"
        " ADD COLUMN waived_fen bigint NOT NULL DEFAULT 0 CHECK (waived_fen >= 0),"
        " ADD COLUMN forgiven_fen bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN lowered_fen bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN restored_fen bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN restorations integer NOT NULL DEFAULT 0,"
        " DROP CONSTRAINT releases_check,"
        " ADD CONSTRAINT releases_check CHECK (released_fen - paid_out_fen"
        " = payable_fen + remitting_fen + debited_fen - returned_fen + waived_fen)"
    )


def _claims() -> None:
    # undue_fen = K: what the person had no right to; of it recovered_fen came back and excused_fen
    # was written off. written_off_fen + waived_fen = W: of the claim, given up and not come after
    # all. matched_fen = M: less what is owed back to O (back_payable_fen in payable(O),
    # back_remitting_fen in remitting, back_debited_fen paid, all with sent_back_fen, the excess
    # that went back). lowered_fen: O's corrections down that were handled. restored_fen: taken back
    # by reversals, which O restores.
    # announced + undue = credited + awaiting; credited = matched + open + undue + lost.
    op.execute(
        "ALTER TABLE settlement.claims"
        " ADD COLUMN undue_fen bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN recovered_fen bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN excused_fen bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN written_off_fen bigint NOT NULL DEFAULT 0 CHECK (written_off_fen >= 0),"
        " ADD COLUMN waived_fen bigint NOT NULL DEFAULT 0 CHECK (waived_fen >= 0),"
        " ADD COLUMN lowered_fen bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN restored_fen bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN reversals integer NOT NULL DEFAULT 0,"
        " ADD COLUMN back_payable_fen bigint NOT NULL DEFAULT 0 CHECK (back_payable_fen >= 0),"
        " ADD COLUMN back_remitting_fen bigint NOT NULL DEFAULT 0"
        " CHECK (back_remitting_fen >= 0),"
        " ADD COLUMN back_debited_fen bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN sent_back_fen bigint NOT NULL DEFAULT 0,"
        " DROP CONSTRAINT claims_check, DROP CONSTRAINT claims_check1,"
        " ADD CONSTRAINT claims_check CHECK (announced_fen + undue_fen"
        " = credited_fen + awaiting_fen),"
        " ADD CONSTRAINT claims_check1 CHECK (credited_fen"
        " = matched_fen + open_fen + undue_fen + written_off_fen + waived_fen),"
        " ADD CONSTRAINT claims_check2 CHECK (recovered_fen + excused_fen <= undue_fen)"
    )
    # What is due for payment goes back to an origin too.
    op.execute(
        "CREATE INDEX claims_due_back ON settlement.claims (region) WHERE back_payable_fen > 0"
    )
