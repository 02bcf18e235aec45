-- Who may touch what all services of a cell share. Only enrollment, the edge, makes person keys;
-- only settlement reads bank lines; only the monitor sets the clock, in a sandbox.
GRANT SELECT ON cell.clock TO
    jiexu_enrollment, jiexu_transfer, jiexu_settlement, jiexu_notification, jiexu_monitor;
GRANT UPDATE ON cell.clock TO jiexu_monitor;
GRANT SELECT, INSERT, DELETE ON cell.person_keys TO jiexu_enrollment;
GRANT SELECT ON cell.person_keys TO jiexu_settlement, jiexu_notification;
GRANT SELECT, INSERT ON cell.statement_keys TO jiexu_settlement;
