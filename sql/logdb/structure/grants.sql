grant usage on schema log to log_writer;
