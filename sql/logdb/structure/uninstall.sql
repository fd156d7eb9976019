drop schema if exists log cascade;
