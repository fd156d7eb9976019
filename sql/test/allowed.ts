/* Who may do what in the schemas, whole: a function or table that is not here, or open to others, fails the role matrix.
 * Source: spec/sql-pgq.md 3.1 and 9, spec/sql-node-londiste.md 9.2 */

export const groupRoles = [
  "log_writer",
  "londiste_reader",
  "londiste_writer",
  "pgq_admin",
  "pgq_reader",
  "pgq_writer",
] as const;

/** By schema and the roles that are granted execution, the names of functions with all their forms. `owner`: nobody else.
 * pgq_admin is a member of pgq_reader and pgq_writer, londiste_writer of pgq_admin, londiste_reader of pgq_reader. */
export const allowedFunctions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  log: {
    log_writer: "add figures",
    owner: "job_status remove_older",
    public: "version",
  },
  londiste: {
    "londiste_reader londiste_writer": "_coordinate_copy get_copy_progress get_seq_list get_table_list",
    londiste_writer: `_check_new_table _check_trigger_order _copy_capture _copy_grants _copy_rules _copy_triggers
      _drop_built_indexes _drop_trigger _give_back_ddl _guard_partitions _hand_over_triggers _ignore_generated _is_own_trigger
      _lock_registrations _lock_table _merge_sources _names_table _owned_seqs _partition_guards _partition_suffix _queue_triggers
      _replace_trigger _retarget _set_mode _share_identity _sharing_table
      _trigger_arguments _trigger_name _trigger_plan create_partition create_trigger drop_obsolete_partitions
      drop_table_fkey drop_table_triggers execute_finish execute_start get_table_pending_fkeys
      get_valid_pending_fkeys global_add_table global_remove_seq global_remove_table global_update_seq
      is_obsolete_partition list_obsolete_partitions local_add_seq local_add_table local_change_handler
      local_copy_end local_copy_error local_copy_progress local_copy_start local_remove_seq local_remove_table
      local_set_table_attrs local_set_table_state local_set_table_struct local_show_missing
      log_partition_truncate log_truncate restore_table_fkey root_notify_change set_session_replication_role
      table_info_trigger upgrade_schema`,
    "londiste_writer pgq_admin": "_publish_seqs periodic_maintenance root_check_seqs",
    public: `find_column_types find_rel_oid find_seq_oid find_table_fkeys find_table_oid is_replica_func make_fqname
      quote_fqname split_fqname version`,
  },
  pgq: {
    owner: `_batch_event _capture_base_type _capture_branch _capture_branches _capture_close _capture_concat
      _capture_current_table _capture_drop_function _capture_equality _capture_insert _capture_insert_all
      _capture_insert_each _capture_insert_one _capture_is_common _capture_is_stale _capture_key_join
      _capture_move _capture_override_query _capture_pairs _capture_plans _capture_reference
      _capture_row_function _capture_row_text _capture_set_body _capture_set_section _capture_settings
      _capture_value_differs _capture_value_json _capture_value_text _capture_value_url _capture_write_function _check_unseen_ticks
      _ensure_membership _ensure_role _lock_queue _raise_serial _row_function_body _static_insert_branch _subscription_id
      _trigger_function_name`,
    pgq_admin: `_check_tx_limit _function_exists _grant_perms_from _insert_checked _is_subconsumer
      _refresh_static_inserts create_queue drop_queue event_retry_raw grant_perms insert_event_raw
      maint_operations maint_retry_events maint_rotate_tables_step1 maint_rotate_tables_step2
      maint_tables_to_vacuum refresh_captures rename_queue reset_txids seq_setval set_queue_config ticker
      tune_storage upgrade_schema`,
    pgq_reader: `_event_sql _snapshot_from batch_event_sql batch_event_tables batch_retry del_event event_failed
      event_retry fail_events failed_event_count failed_event_delete failed_event_list failed_event_retry
      find_tick_helper finish_batch force_tick get_batch_cursor get_batch_events get_batch_info
      get_tick_events next_batch next_batch_custom next_batch_info register_consumer register_consumer_at
      retry_events show_batch_events unregister_consumer`,
    "pgq_reader pgq_writer": "_check_rotation",
    pgq_writer: `_capture_is_in_place _capture_present _capture_triggers _install_capture _settle_captures create_capture
      current_event_table drop_capture insert_event insert_events jsontriga logtriga logutriga sqltriga`,
    public: `_capture_arguments _capture_assert_snapshot _capture_columns _capture_expressions _capture_fits_set
      _capture_is_enabled _capture_is_set_safe _capture_json_type _capture_relation _capture_renew
      _capture_row _capture_shape _capture_trigger_name _capture_when _compile_row_function _log_statement
      _row_function_name _trigger_arguments _urlencode get_capture_info get_consumer_info get_queue_info
      quote_fqname seq_getval version`,
  },
  pgq_coop: {
    owner: "_lock_subscription _set_batch",
    pgq_reader: "finish_batch next_batch next_batch_custom register_subconsumer unregister_subconsumer",
    public: "version",
  },
  pgq_ext: {
    pgq_writer:
      "get_event_tags get_last_tick is_batch_done is_event_done set_batch_done set_event_done set_last_tick tag_events upgrade_schema",
    public: "version",
  },
  pgq_node: {
    pgq_admin: `_lock_positions create_node delete_events_after demote_root drop_node get_worker_state maint_watermark promote_branch
      register_location rename_node_step1 rename_node_step2 set_global_watermark set_node_attrs
      set_partition_watermark unregister_location upgrade_schema`,
    "pgq_admin pgq_reader pgq_writer": `get_completed_tick get_consumer_info get_consumer_state get_node_info get_queue_locations
      get_subscriber_info register_subscriber set_subscriber_watermark unregister_subscriber`,
    "pgq_admin pgq_writer": `change_consumer_provider register_consumer set_consumer_completed set_consumer_completed_at
      set_consumer_error set_consumer_paused set_consumer_uptodate unregister_consumer`,
    public: "is_leaf_node is_root_node version",
  },
};

/** By what is granted to whom, the tables and sequences; those of one queue stand for those of all. */
export const allowedRelations: Readonly<Record<string, string>> = {
  "": `log.entry_entry_id_seq log.entry pgq.batch_id_seq pgq.consumer_co_id_seq pgq.queue_queue_id_seq
    pgq.subscription_sub_id_seq pgq_ext.completed_batch pgq_ext.completed_event pgq_ext.completed_tick
    pgq_ext.event_tag pgq_ext.partial_batch`,
  "londiste_writer: usage": "londiste.seq_info_nr_seq londiste.table_info_nr_seq",
  "londiste_reader: select; pgq_admin: delete insert select update; public: select": `londiste.applied_execute londiste.copy_progress londiste.pending_fkeys londiste.seq_info
    londiste.table_info`,
  "pgq_admin: delete insert select update": "pgq.failed_queue pgq.retry_queue",
  "pgq_admin: delete insert select update; pgq_reader: select": "pgq.hidden_event",
  "pgq_admin: delete insert select update; pgq_reader: select; public: select":
    "pgq.consumer pgq.queue pgq.subscription pgq.tick",
  "pgq_admin: insert select truncate; pgq_reader: select":
    "pgq.event_template pgq.event_1 pgq.event_1_0 pgq.event_1_1 pgq.event_1_2",
  "pgq_admin: delete insert select update; pgq_reader: select; pgq_writer: select":
    "pgq_node.local_state pgq_node.node_info pgq_node.node_location pgq_node.subscriber_info",
  "pgq_admin: usage; public: select": "pgq.event_1_id_seq",
  "public: select": "pgq.event_1_tick_seq",
};
