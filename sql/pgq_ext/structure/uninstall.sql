drop schema if exists pgq_ext cascade;
