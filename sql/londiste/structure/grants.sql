-- Execute grants stand with the functions.
grant usage on schema londiste to public;

grant select on londiste.table_info, londiste.seq_info, londiste.applied_execute, londiste.pending_fkeys,
    londiste.copy_progress
    to public;
grant select on londiste.table_info, londiste.seq_info, londiste.applied_execute, londiste.pending_fkeys,
    londiste.copy_progress
    to londiste_reader;
grant select, insert, update, delete
    on londiste.table_info, londiste.seq_info, londiste.applied_execute, londiste.pending_fkeys,
    londiste.copy_progress
    to pgq_admin;
grant usage on sequence londiste.table_info_nr_seq, londiste.seq_info_nr_seq to londiste_writer;
