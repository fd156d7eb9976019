drop schema if exists pgq_coop cascade;
