#!/usr/bin/env node
// A cascaded consumer: keeps an audit trail of a cascaded queue in a database that has a node of it. The rows and the position
// are committed together, so each event is in the table once, whatever dies in between.
//
//   audit-consumer.ini:  [audit_consumer]
//                        dst_db = dbname=reports
//                        queue_name = orders
//                        audit_table = public.audit
//
//   ./audit-consumer.mjs audit-consumer.ini --register --provider="host=shop dbname=shop"
//   ./audit-consumer.mjs audit-consumer.ini -d

import { cascadedConsumerProgram, eventByEvent } from "@skytools/pgq/cascade";
import { quoteFqIdent, runProgram } from "@skytools/skytools";

await runProgram(
  cascadedConsumerProgram({
    service: "audit_consumer",
    version: "1.0",
    summary: "keeps an audit trail of a cascaded queue",
    keys: [
      {
        key: "audit_table",
        type: "string",
        default: "public.audit",
        doc: "table with event_id, at, what and detail",
      },
    ],
    application: ({ config }) =>
      eventByEvent({
        processEvent: async (event, { target }) => {
          const table = quoteFqIdent(config.get("audit_table"));
          await target.query(
            `insert into ${table} (event_id, at, what, detail) values ($1::int8, $2::timestamptz, $3, $4)`,
            [event.id, event.time, event.type, event.data],
          );
          return "handled";
        },
      }),
  }),
);
