import { type Job, printJson, renderTable } from "@skytools/skytools";
import { type Plan, refusals, stepId } from "./plan.ts";

/** Prints a plan without doing anything, as a table or as JSON, with what is done already; of one that is refused only why. */
export async function printPlan(job: Job, plan: Plan): Promise<void> {
  const isRefused = refusals(plan).length > 0;
  const rows = [];
  for (const [index, step] of (isRefused ? [] : plan.steps).entries()) {
    const { name, node, action, doneWhen, undoneBy, isWait = false } = step;
    const isDone = await step.isDone();
    rows.push({ nr: index + 1, name, node, action, doneWhen, undoneBy, isWait, isDone });
  }
  if (job.json) {
    const steps = rows.map(({ nr, ...row }) => ({ nr, id: stepId(row), ...row }));
    const { title, findings, workers } = plan;
    printJson(job.stdout, { plan: title, isRefused, findings, workers, steps });
    return;
  }
  for (const { kind, text, hint } of plan.findings) {
    job.stdout.write(`${kind}: ${text}\n${hint === undefined ? "" : `  ${hint}\n`}`);
  }
  if (isRefused) return;
  if (rows.length === 0) {
    job.stdout.write(`${plan.title}: nothing to do\n`);
    return;
  }
  job.stdout.write(
    renderTable(rows, {
      title: plan.title,
      columns: [
        { key: "nr", title: "step" },
        { key: "name", title: "name" },
        { key: "node", title: "node" },
        { key: "isDone", title: "state", format: (value) => (value === true ? "done" : "open") },
        {
          key: "undoneBy",
          title: "taken back by",
          format: (value) => (value === null ? "-" : String(value)),
        },
        { key: "action", title: "what it does" },
      ],
    }),
  );
}
