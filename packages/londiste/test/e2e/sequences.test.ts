import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import { startProgram, waitFor } from "@skytools/testbed";
import { type NodeName, Replication } from "../fixture/replication.js";

let stage: Replication;

before(async () => {
  stage = await Replication.start("create sequence a; create sequence b; create sequence c");
  await stage.createNodes();
  await stage.run(
    "root",
    `create function refuse() returns trigger language plpgsql as $$
     begin
       if coalesce(new.seq_name, old.seq_name) = 'public.b' then raise exception 'no b today'; end if;
       return coalesce(new, old);
     end $$;
     create trigger refuse before insert or delete on londiste.seq_info for each row execute function refuse()`,
  );
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

async function following(name: NodeName): Promise<string[]> {
  const rows = await stage.query<{ name: string }>(
    name,
    "select seq_name as name from londiste.seq_info where local order by 1",
  );
  return rows.map((row) => row.name);
}

async function refuseB(isRefused: boolean): Promise<void> {
  await stage.run("root", `alter table londiste.seq_info ${isRefused ? "enable" : "disable"} trigger refuse`);
}

test("add-seq keeps what came before a failure, and goes on from there when it is run again", async () => {
  const failed = await stage.tryLondiste("root", "add-seq", "a", "b", "c");
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /Sequence added: public\.a\n[\s\S]*no b today/);
  assert.deepEqual(await following("root"), ["public.a"]);
  await refuseB(false);
  await stage.londiste("root", "add-seq", "a", "b", "c");
  assert.deepEqual(await following("root"), ["public.a", "public.b", "public.c"]);
});

test("add-seq waits for one sequence without keeping another from whoever has it", async () => {
  await stage.londiste("leaf", "add-seq", "a");
  await using other = await Database.open(stage.connstr("leaf"));
  const row = (name: string) =>
    other.query(`select from londiste.seq_info where seq_name = 'public.${name}' for update`);
  await row("c");
  await using adding = startProgram("londiste3", ["leaf.ini", "add-seq", "b", "c"], { cwd: stage.directory });
  await waitFor("the command to come to the locked sequence", async () => {
    const waiting = await stage.query("leaf", "select from pg_locks where not granted");
    return waiting.length > 0;
  });
  await row("b");
  assert.deepEqual(await following("leaf"), ["public.a", "public.b"]);
  await other.commit();
  assert.equal((await adding.exit).code, 0, adding.outputTail());
  assert.deepEqual(await following("leaf"), ["public.a", "public.b", "public.c"]);
});

test("remove-seq keeps what came before a failure, too", async () => {
  await refuseB(true);
  const failed = await stage.tryLondiste("root", "remove-seq", "a", "b", "c");
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /no b today/);
  assert.deepEqual(await following("root"), ["public.b", "public.c"]);
  await refuseB(false);
  await stage.londiste("root", "remove-seq", "--all");
  assert.deepEqual(await following("root"), []);
});
