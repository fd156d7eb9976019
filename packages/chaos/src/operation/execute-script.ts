import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Disturbance } from "../disturbance.ts";
import { drawCommandKill, killText } from "./command-kill.ts";

export const executeScript: Disturbance = {
  name: "DDL by execute",
  weight: 3,
  draw: (random, model) => {
    const { root } = model;
    const nr = model.nextScript();
    const killAfterMs = drawCommandKill(random);
    return {
      detail: `script ${nr} on ${root}${killText(killAfterMs)}`,
      run: async (stage) => {
        const sql = [
          "--*-- Need-Table: public.altered",
          `alter table public.altered add column c${nr} int default ${nr};`,
          `update public.altered set c${nr} = id where id % 2 = 0;`,
          nr > 2 ? `alter table public.altered drop column c${nr - 2};` : "",
        ];
        await writeFile(join(stage.directory, `${nr}.sql`), sql.join("\n"));
        await stage.londiste(root, ["execute", `${nr}.sql`], killAfterMs);
      },
    };
  },
};
