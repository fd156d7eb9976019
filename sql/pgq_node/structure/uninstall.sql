drop schema if exists pgq_node cascade;
